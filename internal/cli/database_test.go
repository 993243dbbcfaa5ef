package cli_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// Portals that start together on an empty database agree on one organization, one
// pair of credentials and one key, and what one writes the other answers.
func TestPortalsOnOneDatabaseAreOnePortalLong(t *testing.T) {
	t.Parallel()
	where := pgtest.URL(t)
	const portals, workers, rounds = 3, 3, 15
	var all sync.WaitGroup
	running := make([]*process, portals)
	for i := range running {
		all.Go(func() { running[i] = launch(t, nil, "--database-url", where) })
	}
	all.Wait()
	// One of them made the credentials and says so.
	id, secret := "", ""
	for _, p := range running {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for {
			line, err := p.stdout.ReadString('\n')
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch {
			case name == "PORT_CLIENT_ID" && id == "":
				id = value
			case name == "PORT_CLIENT_SECRET" && secret == "":
				secret = value
			case line != "":
				t.Errorf("a second announcement: %q", line)
			}
			if err != nil {
				break
			}
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.stderr)
		}
	}
	if id == "" || secret == "" {
		t.Fatal("nobody announced credentials")
	}
	clients := make([]*client, portals)
	for i := range clients {
		clients[i] = newClient(t, launch(t, nil, "--database-url", where).url, id, secret)
	}
	// A token of one is good for all.
	other := *clients[0]
	other.url = clients[1].url
	other.must(http.MethodPost, "/v1/blueprints", `{"identifier":"item","title":"Item","schema":{"properties":{"n":{"type":"number"}}}}`)
	var mu sync.Mutex
	made := map[string]int{}
	for i, c := range clients {
		for w := range workers {
			all.Go(func() {
				for round := range rounds {
					// Everybody wants the shared one; each makes one of his own.
					shared, own := fmt.Sprintf("shared-%d", round), fmt.Sprintf("own-%d-%d-%d", i, w, round)
					status, answer, err := c.do(t.Context(), http.MethodPost, "/v1/blueprints/item/entities", `{"identifier":"`+shared+`"}`)
					if err != nil || status != http.StatusCreated && status != http.StatusConflict {
						t.Errorf("%s: %d %v %v", shared, status, answer, err)
						return
					}
					if status == http.StatusCreated {
						mu.Lock()
						made[shared]++
						mu.Unlock()
					}
					c.must(http.MethodPost, "/v1/blueprints/item/entities", `{"identifier":"`+own+`"}`)
					clients[(i+1)%portals].must(http.MethodGet, "/v1/blueprints/item/entities/"+own, "")
				}
			})
		}
	}
	all.Wait()
	for round := range rounds {
		if n := made[fmt.Sprintf("shared-%d", round)]; n != 1 {
			t.Errorf("shared-%d was made %d times", round, n)
		}
	}
	for i, c := range clients {
		answer := c.must(http.MethodGet, "/v1/blueprints/item/entities", "")
		if list, _ := answer["entities"].([]any); len(list) != portals*workers*rounds+rounds {
			t.Errorf("portal %d has %d entities", i, len(list))
		}
	}
}

func TestADatabaseThatCannotBeUsedIsOneLineAndCode1(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"postgres://u:s3cr3t@127.0.0.1:1/d", "mysql://u:s3cr3t@h/d", "postgres://u:%zzs3cr3t@h/d"} {
		got := runBinary(t, nil, "portal", "--listen", "127.0.0.1:0", "--database-url", where)
		if got.Code != 1 || got.Stdout != "" || strings.Count(got.Stderr, "\n") != 1 || strings.Contains(got.Stderr, "s3cr3t") {
			t.Errorf("%s: %+v", where, got)
		}
	}
}
