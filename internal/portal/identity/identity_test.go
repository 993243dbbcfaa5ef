package identity_test

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

var start = time.Date(2024, 1, 1, 0, 0, 0, 123_000_000, time.UTC)

type world struct {
	store store.Store
	clock *clock.Fake
}

func newWorld(t *testing.T) world {
	t.Helper()
	s := store.NewMemory(nil)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{s, clock.NewFake(start)}
}

func (w world) open(t *testing.T, given identity.Credentials) *identity.Identity {
	t.Helper()
	i, err := identity.Open(t.Context(), identity.Options{Store: w.store, Clock: w.clock, IDs: ident.Random(), Given: given})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func exchange(t *testing.T, i *identity.Identity, c identity.Credentials) (token string, seconds any) {
	t.Helper()
	answer, err := i.Exchange(t.Context(), "", jsonv.Object{"clientId": c.ClientID, "clientSecret": c.ClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	return jsonv.String(answer, "accessToken"), answer["expiresIn"]
}

func check(ctx context.Context, i *identity.Identity, s store.Store, header string) (who identity.Principal, err error) {
	claims, err := i.Parse(header)
	if err != nil {
		return who, err
	}
	err = s.View(ctx, func(tx store.Tx) error {
		who, err = i.Check(tx, claims)
		return err
	})
	return who, err
}

func unauthorized(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Status == 401
}

var given = identity.Credentials{ClientID: "me@example.com", ClientSecret: "s3cr3t"}

func TestATokenCarriesTheClaimsThatClientsDecode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.open(t, given)
	token, seconds := exchange(t, i, given)
	if seconds != jsonv.Int(10800) {
		t.Errorf("expiresIn %v", seconds)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsonv.DecodeObject(payload)
	if err != nil {
		t.Fatal(err)
	}
	jti := jsonv.String(got, "jti")
	if len(jti) != 32 {
		t.Errorf("jti %q", jti)
	}
	iat := start.Unix()
	want := jsonv.Object{
		"iss": "port", "aud": []any{"https://api.getport.io"}, "sub": given.ClientID, "iat": jsonv.Int(iat), "exp": jsonv.Int(iat + 10801), "jti": jti,
		"orgId": i.Org(), "isMachine": true, "personalToken": false,
		"https://api.getport.io/orgId": i.Org(), "https://api.getport.io/orgName": "Port", "https://api.getport.io/email": "",
	}
	if diff := cmp.Diff(string(jsonv.Encode(want)), string(jsonv.Encode(got))); diff != "" {
		t.Error(diff)
	}
	who, err := check(t.Context(), i, w.store, "Bearer "+token)
	if diff := cmp.Diff(identity.Principal{Org: i.Org(), ID: given.ClientID}, who); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.open(t, given)
	token, _ := exchange(t, i, given)
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	sign := func(method jwt.SigningMethod, key any, change jwt.MapClaims) string {
		c := jwt.MapClaims{}
		for k, v := range claims {
			c[k] = v
		}
		for k, v := range change {
			c[k] = v
		}
		out, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	parts := strings.Split(token, ".")
	for name, forged := range map[string]string{
		"no algorithm":           sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"another key":            sign(jwt.SigningMethodHS256, []byte("guess"), nil),
		"empty key":              sign(jwt.SigningMethodHS256, []byte{}, nil),
		"another HMAC":           sign(jwt.SigningMethodHS512, []byte("guess"), nil),
		"no signature":           parts[0] + "." + parts[1] + ".",
		"two parts":              parts[0] + "." + parts[1],
		"changed payload":        parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2],
		"another organization's": other(t),
	} {
		if _, err := check(t.Context(), i, w.store, "Bearer "+forged); !unauthorized(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// other is a token that is valid elsewhere.
func other(t *testing.T) string {
	t.Helper()
	i := newWorld(t).open(t, given)
	token, _ := exchange(t, i, given)
	return token
}

func TestAClaimIsNotBelievedButLookedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.open(t, given)
	token, _ := exchange(t, i, given)
	change := func(f func(store.Doc)) {
		t.Helper()
		err := w.store.Update(t.Context(), func(tx store.Tx) error {
			doc, err := tx.Get(identity.KindCredentials, i.Org(), given.ClientID)
			if err != nil {
				return err
			}
			doc = jsonv.CloneObject(doc)
			f(doc)
			return tx.Put(identity.KindCredentials, doc, i.Org(), given.ClientID)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change(func(d store.Doc) { d["enabled"] = false })
	if _, err := check(t.Context(), i, w.store, token); !unauthorized(err) {
		t.Errorf("disabled: %v", err)
	}
	if _, err := i.Exchange(t.Context(), "", jsonv.Object{"clientId": given.ClientID, "clientSecret": given.ClientSecret}); !unauthorized(err) {
		t.Errorf("disabled credentials exchanged: %v", err)
	}
	change(func(d store.Doc) { d["enabled"] = true })
	if _, err := check(t.Context(), i, w.store, token); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	change(func(d store.Doc) { delete(d, "token") })
	if _, err := check(t.Context(), i, w.store, token); !unauthorized(err) {
		t.Errorf("revoked: %v", err)
	}
	fresh, _ := exchange(t, i, given)
	if fresh == token {
		t.Error("a revoked token came back")
	}
}

func TestConcurrentExchangesGetOneToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.open(t, given)
	var wg sync.WaitGroup
	tokens := make([]string, 16)
	for n := range tokens {
		wg.Go(func() {
			answer, err := i.Exchange(t.Context(), "", jsonv.Object{"clientId": given.ClientID, "clientSecret": given.ClientSecret})
			if err != nil {
				t.Error(err)
			}
			tokens[n] = jsonv.String(answer, "accessToken")
		})
	}
	wg.Wait()
	for _, token := range tokens {
		if token != tokens[0] {
			t.Fatal("two live tokens of one set")
		}
	}
}

func TestMadeUpCredentialsAreAnnouncedOnceAndGivenOnesNever(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.open(t, identity.Credentials{})
	again := w.open(t, identity.Credentials{})
	if first.Org() != again.Org() || first.Machine() != again.Machine() {
		t.Error("the organization changed")
	}
	made, ok, err := again.Announce(t.Context())
	if err != nil || !ok || len(made.ClientID) != 32 {
		t.Fatal(made, ok, err)
	}
	exchange(t, first, made)
	if _, ok, err := first.Announce(t.Context()); ok || err != nil {
		t.Error("announced twice", err)
	}
	if _, ok, err := newWorld(t).open(t, given).Announce(t.Context()); ok || err != nil {
		t.Error("given credentials were announced", err)
	}
}

func TestGivenCredentialsJoinButNeverComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.open(t, identity.Credentials{}).Machine().ID
	i := w.open(t, given)
	exchange(t, i, given)
	if i.Machine().ID != made {
		t.Error("the machine changed")
	}
	changed := identity.Credentials{ClientID: given.ClientID, ClientSecret: "another"}
	if ok, err := w.open(t, changed).Accepts(t.Context(), changed); ok || err != nil {
		t.Error("a known client id got a new secret", err)
	}
	err := w.store.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(identity.KindCredentials, i.Org(), given.ClientID) })
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := w.open(t, given).Accepts(t.Context(), given); ok || err != nil {
		t.Error("deleted credentials came back", err)
	}
	if _, err := identity.Open(t.Context(), identity.Options{Store: w.store, Clock: w.clock, IDs: ident.Random(), Given: identity.Credentials{ClientID: "x"}}); err == nil {
		t.Error("a client id without a secret must be refused")
	}
}

func TestManyProcessesFoundOneOrganization(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	orgs := make([]string, 6)
	var wg sync.WaitGroup
	for n := range orgs {
		wg.Go(func() {
			s, err := store.OpenSQLite(t.Context(), file, store.SQLiteOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			i, err := identity.Open(t.Context(), identity.Options{Store: s, Clock: clock.Real(), IDs: ident.Random()})
			if err != nil {
				t.Error(err)
				return
			}
			orgs[n] = i.Org() + i.Machine().ID
		})
	}
	wg.Wait()
	for _, org := range orgs {
		if org != orgs[0] {
			t.Fatalf("%v", orgs)
		}
	}
}

func TestSecretsAreNotWrittenPlainly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.open(t, given)
	token, _ := exchange(t, i, given)
	err := w.store.View(t.Context(), func(tx store.Tx) error {
		for _, kind := range []store.Kind{identity.KindCredentials, identity.KindServer, identity.KindOrganization} {
			for row, err := range tx.Scan(kind, nil, store.Page{}) {
				if err != nil {
					return err
				}
				if text := string(jsonv.Encode(row.Doc)); strings.Contains(text, given.ClientSecret) || strings.Contains(text, token) {
					t.Errorf("%s holds a secret: %s", kind, text)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := i.Credentials(t.Context()); err != nil || c != given {
		t.Errorf("%v %v", c, err)
	}
}
