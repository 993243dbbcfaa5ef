package cli_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// TestKillOnlyInterruptsAMigration ends a portal with SIGKILL in the middle of a
// migration, twice. Afterwards every item has been migrated and counted once.
func TestKillOnlyInterruptsAMigration(t *testing.T) {
	t.Parallel()
	const items = 4000
	file := filepath.Join(t.TempDir(), "portal.db")
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	p := launch(t, env, "--data", file)
	c := newClient(t, p.url, "me", "mine")
	c.must("POST", "/v1/blueprints", `{"identifier":"a","title":"A","schema":{"properties":{}}}`)
	c.must("POST", "/v1/blueprints", `{"identifier":"b","title":"B","schema":{"properties":{}}}`)
	c.must("POST", "/v1/blueprints/a/entities", `{"identifier":"one"}`)
	id := jsonv.String(c.must("POST", "/v1/migrations", `{"sourceBlueprint":"a","mapping":{"blueprint":"b","itemsToParse":"[range(4000)]","entity":{"identifier":"\"i\\(.item)\""}}}`), "migration", "id")
	done := 0
	for range 2 {
		done = reaches(t, c, id, done+200)
		if done == items {
			t.Fatal("the migration was over before it could be interrupted")
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		p = launch(t, env, "--data", file)
		c = newClient(t, p.url, "me", "mine")
	}
	if done = reaches(t, c, id, items); done != items {
		t.Errorf("%d items", done)
	}
	m := jsonv.Map(c.must("GET", "/v1/migrations/"+id, ""), "migration")
	if jsonv.String(m, "status") != "COMPLETED" || jsonv.String(c.must("GET", "/v1/blueprints/b/entities/i3999", ""), "entity", "identifier") == "" {
		t.Errorf("%s", jsonv.Encode(m))
	}
	if got := string(jsonv.Encode(c.must("GET", "/v1/blueprints/b/entities-count", "")["count"])); got != "4000" {
		t.Errorf("%s entities", got)
	}
}

// reaches polls a migration until it has done so many items or is over.
func reaches(t *testing.T, c *client, id string, items int) int {
	t.Helper()
	for range 6000 {
		m := jsonv.Map(c.must("GET", "/v1/migrations/"+id, ""), "migration")
		number, ok := m["successCount"].(json.Number)
		n, err := number.Int64()
		if !ok || err != nil {
			t.Fatalf("%s", jsonv.Encode(m))
		}
		status := jsonv.String(m, "status")
		if int(n) >= items && (status != "RUNNING" || items < 4000) || status == "COMPLETED" {
			return int(n)
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatal("the migration stands still")
	return 0
}
