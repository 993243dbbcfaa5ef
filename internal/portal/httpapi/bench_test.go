package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
)

// BenchmarkCaller measures what it costs to know who calls and what they may do: an
// answer that needs nothing else of the store.
func BenchmarkCaller(b *testing.B) {
	more := []route{
		{method: get, pattern: "/v1/nothing", tx: reads, scope: access.ReadEntities, handler: (*Call).done},
		{method: post, pattern: "/v1/nothing", scope: access.ReadEntities, handler: (*Call).done},
	}
	a, _ := newAPI(b, more...)
	for who, token := range map[string]string{
		"machine": login(b, a, "id", "hidden-secret"), "user": signIn(b, a, "a@x.io", access.RoleMember), "nobody": "garbage",
	} {
		for _, r := range more {
			b.Run(who+"/"+r.method, func(b *testing.B) {
				for b.Loop() {
					req := httptest.NewRequest(r.method, r.pattern, http.NoBody)
					req.Header.Set("Authorization", "Bearer "+token)
					w := httptest.NewRecorder()
					a.ServeHTTP(w, req)
					if (w.Code == 200) != (who != "nobody") {
						b.Fatal(w.Body)
					}
				}
			})
		}
	}
}
