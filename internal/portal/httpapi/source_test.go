package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// rows: id §1.4 2
func TestOnlyAllowedAddressesAreAnswered(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	a.allowed = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		from, path string
		status     int
	}{
		{"10.1.2.3:40000", "/v1/blueprints", 401},
		{"[::ffff:10.1.2.3]:40000", "/v1/blueprints", 401},
		{"[2001:db8::7%eth0]:40000", "/v1/blueprints", 401},
		{"192.0.2.7:40000", "/v1/blueprints", 403},
		{"192.0.2.7:40000", "/v1/auth/access_token", 404}, // there is only a POST
		{"192.0.2.7:40000", "/v1/actions", 403},
		{"nonsense", "/v1/blueprints", 403},
		{"", "/v1/blueprints", 403},
		{"192.0.2.7:40000", "/health", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.RemoteAddr = c.from
		r.Header.Set("X-Forwarded-For", "10.0.0.1")
		w, body := ask(a, r)
		if w.Code != c.status {
			t.Errorf("%s from %q: %d %s", c.path, c.from, w.Code, w.Body)
		}
		if w.Code != 403 {
			continue
		}
		message := jsonv.String(body, "message")
		if !strings.Contains(message, a.identity.Org()) || !strings.Contains(message, strings.TrimSuffix(strings.TrimSuffix(c.from, ":40000"), "nonsense")) {
			t.Errorf("%s from %q: %s", c.path, c.from, message)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/auth/access_token", strings.NewReader(`{"clientId":"id","clientSecret":"hidden-secret"}`))
	r.RemoteAddr = "192.0.2.7:1"
	if w, _ := ask(a, r); w.Code != 403 {
		t.Errorf("a token is given to anybody: %d", w.Code)
	}
	inside := httptest.NewRequest(http.MethodGet, "/v1/blueprints", nil)
	inside.RemoteAddr = "embedded"
	if w, _ := ask(a, inside.WithContext(As(t.Context(), a.identity.Machine()))); w.Code != 200 {
		t.Errorf("a call within the process: %d %s", w.Code, w.Body)
	}
}

func TestTheSizeOfABodyIsJudgedBeforeWhereItComesFrom(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	a.allowed = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	r := httptest.NewRequest(http.MethodPost, "/v1/blueprints", strings.NewReader(strings.Repeat(" ", MaxBody+1)))
	if w, _ := ask(a, r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", w.Code)
	}
}
