package portal_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// twoPortals are two portals over the same documents: of one store in memory, of one
// data file, or of one database.
func twoPortals(t *testing.T, storage string) (a, b *portaltest.Portal) {
	t.Helper()
	var o portaltest.Options
	switch storage {
	case "sqlite":
		o.DataFile = filepath.Join(t.TempDir(), "portal.db")
	case "postgres":
		o.DatabaseURL = pgtest.URL(t)
	default:
		o.Store = store.NewMemory(portal.Indexes())
		t.Cleanup(func() {
			if err := o.Store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return portaltest.Start(t, o), portaltest.Start(t, o)
}

func TestWhatChangesAtOnePortalHoldsAtTheNextCallToAnother(t *testing.T) {
	t.Parallel()
	for _, storage := range pgtest.Stores() {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			a, b := twoPortals(t, storage)
			const email = "ann@x.io"
			expect := func(what, token, path string, want int) {
				t.Helper()
				for name, p := range map[string]*portaltest.Portal{"the same portal": a, "the other portal": b} {
					if got := p.CallAs(token, http.MethodGet, path, nil); got.Status != want {
						t.Errorf("%s: %s at %s: %d, want %d: %.200s", what, path, name, got.Status, want, got.Text)
					}
				}
			}
			change := func(properties jsonv.Object) {
				t.Helper()
				b.Must(http.MethodPatch, "/v1/blueprints/_user/entities/"+email, jsonv.Object{"properties": properties})
			}
			token := a.As(portaltest.User{Email: email})
			expect("a member", token, "/v1/blueprints", 200)
			expect("a member", token, "/v1/apps", 403)
			change(jsonv.Object{"port_role": "Admin"})
			expect("an administrator", token, "/v1/apps", 200)
			change(jsonv.Object{"port_role": "Member"})
			expect("a member again", token, "/v1/apps", 403)
			change(jsonv.Object{"status": "Disabled"})
			expect("disabled", token, "/v1/blueprints", 401)
			change(jsonv.Object{"status": "Active"})
			expect("enabled, with a token from before", token, "/v1/blueprints", 401)
			token = a.As(portaltest.User{Email: email})
			expect("a new token", token, "/v1/blueprints", 200)
			b.Must(http.MethodPost, "/v1/rotate-credentials/"+email, nil)
			expect("rotated", token, "/v1/blueprints", 401)
			answer := b.Must(http.MethodPost, "/v1/rotate-credentials/"+email, nil)
			fresh := a.Must(http.MethodPost, "/v1/auth/access_token", jsonv.Map(answer, "credentials"))
			token = jsonv.String(fresh, "accessToken")
			expect("rotated twice", token, "/v1/blueprints", 200)
			b.Must(http.MethodDelete, "/v1/blueprints/_user/entities/"+email, nil)
			expect("deleted", token, "/v1/blueprints", 401)
			app := jsonv.Map(a.Must(http.MethodPost, "/v1/apps", jsonv.Object{"name": "CI"}), "app")
			fresh = b.Must(http.MethodPost, "/v1/auth/access_token", jsonv.Object{"clientId": app["id"], "clientSecret": app["secret"]})
			token = jsonv.String(fresh, "accessToken")
			expect("an app", token, "/v1/apps", 200)
			b.Must(http.MethodDelete, "/v1/apps/"+jsonv.String(app, "id"), nil)
			expect("a deleted app", token, "/v1/apps", 401)
		})
	}
}
