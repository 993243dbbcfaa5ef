package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// newAPI makes an API with more routes and what it logs.
func newAPI(t testing.TB, more ...route) (*API, *bytes.Buffer) {
	t.Helper()
	s := store.NewMemory(catalog.Indexes())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := clock.NewFake(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	who, err := identity.Open(t.Context(), identity.Options{
		Store: s, Clock: c, IDs: ident.Seeded(1), Given: identity.Credentials{ClientID: "id", ClientSecret: "hidden-secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	told, err := events.Open(t.Context(), events.Options{Store: s, Clock: c, IDs: ident.Seeded(4), Org: who.Org()})
	if err != nil {
		t.Fatal(err)
	}
	rights := access.New(access.Deps{Clock: c, IDs: ident.Seeded(5)})
	a := New(Options{
		Actions: actions.New(actions.Deps{Clock: c, IDs: ident.Seeded(6), Access: rights, Recorder: told}),
		Store:   s, Catalog: catalog.New(catalog.Deps{Clock: c, IDs: ident.Seeded(2), Recorder: told}), Events: told, Identity: who,
		Clock: c, IDs: ident.Seeded(3), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	a.routes = newRouter(append(table(), more...))
	return a, log
}

func ask(a *API, r *http.Request) (*httptest.ResponseRecorder, jsonv.Object) {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	body, err := jsonv.DecodeObject(w.Body.Bytes())
	if err != nil {
		body = nil
	}
	return w, body
}

// rows: §1.2 27, id §1.5 20
func TestAPanicIsA500WithAnIDAndItsStackOnlyInTheLog(t *testing.T) {
	t.Parallel()
	a, log := newAPI(t, route{method: get, pattern: "/v1/boom", open: true, handler: func(*Call) (any, error) { panic("inner workings") }})
	w, body := ask(a, httptest.NewRequest(http.MethodGet, "/v1/boom", nil))
	id := w.Header().Get("X-Trace-Id")
	if w.Code != 500 || jsonv.String(body, "error") != "internal_error" || body["ok"] != false || !strings.Contains(jsonv.String(body, "message"), id) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "inner") || w.Header().Get("Content-Type") == "" {
		t.Errorf("the answer tells: %s", w.Body)
	}
	for _, want := range []string{id, "inner workings", "httpapi_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not hold %q:\n%s", want, log)
		}
	}
}

func TestAnErrorThatIsNoFaultIsA500AndStaysInTheLog(t *testing.T) {
	t.Parallel()
	a, log := newAPI(t, route{method: get, pattern: "/v1/bad", open: true, handler: func(*Call) (any, error) { return nil, errors.New("disk on fire") }})
	w, body := ask(a, httptest.NewRequest(http.MethodGet, "/v1/bad", nil))
	if w.Code != 500 || jsonv.String(body, "error") != "internal_error" || strings.Contains(w.Body.String(), "fire") || !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, log)
	}
}

func TestAValueNoJSONHoldsIsA500(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t, route{method: get, pattern: "/v1/odd", open: true, handler: func(*Call) (any, error) { return jsonv.Object{"c": make(chan int)}, nil }})
	if w, body := ask(a, httptest.NewRequest(http.MethodGet, "/v1/odd", nil)); w.Code != 500 || body["ok"] != false {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestACallerWhoLeftEndsTheTransaction(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	ctx, cancel := context.WithCancel(As(t.Context(), a.identity.Machine()))
	cancel()
	w, body := ask(a, httptest.NewRequest(http.MethodPost, "/v1/blueprints", strings.NewReader(`{"identifier":"x","title":"X","schema":{"properties":{}}}`)).WithContext(ctx))
	if w.Code != http.StatusServiceUnavailable || body["ok"] != false {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w, _ = ask(a, httptest.NewRequest(http.MethodGet, "/v1/blueprints/x", nil).WithContext(As(t.Context(), a.identity.Machine())))
	if w.Code != http.StatusNotFound {
		t.Errorf("the write stayed: %d", w.Code)
	}
}

func TestLargeAnswersAreCompressedWhenAsked(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("a rather repetitive text ", 400)
	a, _ := newAPI(t, route{method: get, pattern: "/v1/big", open: true, handler: func(*Call) (any, error) { return jsonv.Object{"big": big}, nil }})
	r := httptest.NewRequest(http.MethodGet, "/v1/big", nil)
	plain, _ := ask(a, r)
	r.Header.Set("Accept-Encoding", "gzip, deflate")
	packed, _ := ask(a, r)
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() > plain.Body.Len()/4 {
		t.Fatalf("%v, %d bytes", packed.Header(), packed.Body.Len())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(text, plain.Body.Bytes()) {
		t.Errorf("%v: unpacked is not what is sent plain", err)
	}
	small := httptest.NewRequest(http.MethodGet, "/health", nil)
	small.Header.Set("Accept-Encoding", "gzip")
	if w, _ := ask(a, small); w.Header().Get("Content-Encoding") != "" {
		t.Error("a small answer was compressed")
	}
}

func TestTheLogHasNoSecretsAndNoBodies(t *testing.T) {
	t.Parallel()
	a, log := newAPI(t)
	w, body := ask(a, httptest.NewRequest(http.MethodPost, "/v1/auth/access_token", strings.NewReader(`{"clientId":"id","clientSecret":"hidden-secret"}`)))
	token := jsonv.String(body, "accessToken")
	if w.Code != 200 || token == "" {
		t.Fatal(w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/blueprints?q=hidden-query", strings.NewReader(`{"identifier":"x","title":"hidden-title","schema":{"properties":{}}}`))
	r.Header.Set("Authorization", "Bearer "+token)
	if w, _ := ask(a, r); w.Code != 201 {
		t.Fatal(w.Body)
	}
	for _, secret := range []string{"hidden", token} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
	if !regexp.MustCompile(`method=POST path=/v1/blueprints route="POST /v1/blueprints" status=201 .*principal=id trace=[0-9a-f]{32}`).MatchString(log.String()) {
		t.Errorf("no line about the request:\n%s", log)
	}
}

func TestARevokedTokenIs401OnReadsAndWrites(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	_, body := ask(a, httptest.NewRequest(http.MethodPost, "/v1/auth/access_token", strings.NewReader(`{"clientId":"id","clientSecret":"hidden-secret"}`)))
	err := a.store.Update(t.Context(), func(tx store.Tx) error {
		return tx.Delete(identity.KindCredentials, a.identity.Org(), "id")
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, body string }{
		{http.MethodGet, "/v1/blueprints", ""},
		{http.MethodPost, "/v1/blueprints", "{}"},
		{http.MethodPost, "/v1/entities/search", "no JSON at all"}, // the token comes before the body
		{http.MethodGet, "/v1/audit-log", ""},                      // and before what is not built
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+jsonv.String(body, "accessToken"))
		if w, body := ask(a, r); w.Code != 401 || jsonv.String(body, "error") != "unauthorized" {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

func TestABodyThatBreaksOffIsTheCallersFault(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	for err, want := range map[error]int{io.ErrUnexpectedEOF: http.StatusBadRequest, os.ErrDeadlineExceeded: http.StatusRequestTimeout} {
		w, body := ask(a, httptest.NewRequest(http.MethodPost, "/v1/blueprints", brokenBody{err}))
		if w.Code != want || body["ok"] != false || jsonv.String(body, "error") == "" {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

func TestDeepNestingIsRefusedAsText(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	for name, text := range map[string]string{"open": strings.Repeat("[", 500_000), "closed": strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000)} {
		r := httptest.NewRequest(http.MethodPost, "/v1/blueprints", strings.NewReader(text))
		if w, body := ask(a, r.WithContext(As(t.Context(), a.identity.Machine()))); w.Code != 400 || jsonv.String(body, "error") != "bad_request" {
			t.Errorf("%s: %d %.200s", name, w.Code, w.Body)
		}
	}
}

func TestHeadIsLoggedAsASuccess(t *testing.T) {
	t.Parallel()
	a, log := newAPI(t)
	if w, _ := ask(a, httptest.NewRequest(http.MethodHead, "/health", nil)); w.Code != 200 || w.Body.Len() != 0 || strings.Contains(log.String(), "error") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, log)
	}
}

func TestTwoAPIsNeverSeeEachOther(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	b, _ := newAPI(t)
	create := httptest.NewRequest(http.MethodPost, "/v1/blueprints", strings.NewReader(`{"identifier":"x","title":"X","schema":{"properties":{}}}`))
	if w, _ := ask(a, create.WithContext(As(t.Context(), a.identity.Machine()))); w.Code != 201 {
		t.Fatal(w.Body)
	}
	read := httptest.NewRequest(http.MethodGet, "/v1/blueprints/x", nil)
	if w, _ := ask(b, read.WithContext(As(t.Context(), b.identity.Machine()))); w.Code != 404 {
		t.Error(w.Body)
	}
}
