package portal_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const manyItems = `{"sourceBlueprint":"a","mapping":{"blueprint":"b","itemsToParse":"[range(250)]","entity":{"identifier":"\"i\\(.item)\""}}}`

const twoBlueprints = `{"blueprints":[{"identifier":"a","title":"A","schema":{"properties":{}}},{"identifier":"b","title":"B","schema":{"properties":{}}}],"entities":[{"blueprint":"a","identifier":"one"}]}`

func value(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func order(t *testing.T, p *portaltest.Portal) string {
	t.Helper()
	id := jsonv.String(p.Must("POST", "/v1/migrations", value(t, manyItems)), "migration", "id")
	if id == "" {
		t.Fatal("no migration")
	}
	return id
}

// progress wants a migration's status and count.
func progress(t *testing.T, p *portaltest.Portal, id, status, count string) {
	t.Helper()
	m := jsonv.Map(p.Must("GET", "/v1/migrations/"+id, nil), "migration")
	if got := string(jsonv.Encode(m["successCount"])); jsonv.String(m, "status") != status || got != count {
		t.Fatalf("%s with %s done, want %s with %s", jsonv.String(m, "status"), got, status, count)
	}
}

func TestAMigrationGoesOnAfterARestartWhereItWas(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	first := portaltest.Start(t, portaltest.Options{DataFile: file, Seed: twoBlueprints})
	id := order(t, first)
	first.Advance(time.Millisecond)
	progress(t, first, id, "RUNNING", "100")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := portaltest.Start(t, portaltest.Options{DataFile: file})
	progress(t, second, id, "RUNNING", "100")
	second.Advance(time.Minute)
	progress(t, second, id, "COMPLETED", "250")
	if n := jsonv.List(second.Must("GET", "/v1/blueprints/b/entities?include=identifier", nil), "entities"); len(n) != 250 {
		t.Errorf("%d entities", len(n))
	}
}

func TestAMigrationIsTakenOverFromAPortalThatStandsStill(t *testing.T) {
	t.Parallel()
	shared := store.NewMemory(catalog.Indexes())
	still := portaltest.Start(t, portaltest.Options{Store: shared, Seed: twoBlueprints})
	other := portaltest.Start(t, portaltest.Options{Store: shared})
	id := order(t, still)
	other.Advance(time.Minute)
	progress(t, other, id, "PENDING", "0") // reading it makes the other portal watch it
	other.Advance(time.Second)
	progress(t, other, id, "PENDING", "0")
	other.Advance(time.Minute)
	progress(t, other, id, "COMPLETED", "250")
	still.Advance(time.Minute)
	progress(t, still, id, "COMPLETED", "250")
}

func TestPortalsThatWorkOnOneMigrationTakeTurns(t *testing.T) {
	t.Parallel()
	shared := store.NewMemory(catalog.Indexes())
	a := portaltest.Start(t, portaltest.Options{Store: shared, Seed: twoBlueprints})
	id := order(t, a)
	b := portaltest.Start(t, portaltest.Options{Store: shared})
	a.Advance(time.Millisecond)
	b.Advance(time.Minute)
	progress(t, b, id, "COMPLETED", "250")
	a.Advance(time.Millisecond)
	progress(t, a, id, "COMPLETED", "250")
}

func TestAProgramThatDoesNotEndFailsItsItemAndNothingElse(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{Seed: twoBlueprints})
	p.Must("POST", "/v1/blueprints/a/entities", jsonv.Object{"identifier": "two"})
	id := jsonv.String(p.Must("POST", "/v1/migrations", value(t, `{"sourceBlueprint":"a","mapping":{"blueprint":"b","entity":{"title":"if .identifier == \"one\" then def f: f; f else .title end"}}}`)), "migration", "id")
	p.Advance(time.Second)
	m := jsonv.Map(p.Must("GET", "/v1/migrations/"+id, nil), "migration")
	if got := string(jsonv.Encode(jsonv.Object{"s": m["status"], "ok": m["successCount"], "bad": m["failureCount"]})); got != `{"bad":1,"ok":1,"s":"COMPLETED"}` {
		t.Errorf("%s: %s", got, jsonv.Encode(m))
	}
}
