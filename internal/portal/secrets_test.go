package portal_test

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// theSecret stands in requests of the tests below and nowhere else.
const theSecret = "Zq7-the-plain-value"

func keptIn(file string) portal.Options {
	return portal.Options{DataFile: file, ClientID: portaltest.ClientID, ClientSecret: portaltest.ClientSecret}
}

// reopened opens a data file, exchanges the credentials and closes it again.
func reopened(t *testing.T, o portal.Options) error {
	t.Helper()
	p, err := portal.Open(t.Context(), o)
	if err != nil {
		return err
	}
	ok, err := p.Accepts(t.Context(), portal.Credentials{ClientID: portaltest.ClientID, ClientSecret: portaltest.ClientSecret})
	if err != nil || !ok {
		t.Errorf("the credentials are not accepted: %v", err)
	}
	return p.Close()
}

func TestNoFileHoldsASecretAndTheKeyStandsBesideTheData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "portal.db")
	var log bytes.Buffer
	p := portaltest.Start(t, portaltest.Options{DataFile: file, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	for _, c := range []struct {
		method, path string
		body         jsonv.Object
		status       int
	}{
		{http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "K", "secretValue": theSecret}, 201},
		{http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "K", "secretValue": theSecret}, 409},
		{http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "L", "secretValue": theSecret, "description": jsonv.Int(1)}, 422},
		{http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "L", "secretValue": []any{theSecret}}, 422},
		{http.MethodPatch, "/v1/organization/secrets/K", jsonv.Object{"secretValue": theSecret + "2"}, 200},
		{http.MethodPatch, "/v1/organization/secrets/M", jsonv.Object{"secretValue": theSecret}, 404},
	} {
		answer := p.Call(c.method, c.path, c.body)
		if answer.Status != c.status || strings.Contains(answer.Text, theSecret) {
			t.Errorf("%s %s: %d %s", c.method, c.path, answer.Status, answer.Text)
		}
	}
	app := p.Call(http.MethodPost, "/v1/apps", jsonv.Object{"name": "CI"})
	made := jsonv.String(app.Body, "app", "secret")
	user := p.As(portaltest.User{Email: "a@x.io"})
	rotated := p.CallAs(user, http.MethodPost, "/v1/rotate-credentials/a@x.io", nil)
	users := jsonv.String(rotated.Body, "credentials", "clientSecret")
	p.Must(http.MethodPost, "/v1/auth/access_token", jsonv.Map(rotated.Body, "credentials"))
	for _, kept := range []string{p.Dump(), p.Call(http.MethodGet, "/v1/audit-log", nil).Text, log.String()} {
		if strings.Contains(kept, users) || strings.Contains(kept, user) || len(users) != 64 {
			t.Errorf("a user's secret or token is kept: %s", kept)
		}
	}
	if strings.Contains(p.Dump(), theSecret) || strings.Contains(p.Dump(), made) || !strings.Contains(p.Dump(), `"changedSecrets":["value"]`) {
		t.Errorf("a document holds a secret, or none says that one changed: %s", p.Dump())
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), theSecret) || strings.Contains(log.String(), made) || log.Len() == 0 {
		t.Errorf("the log holds a secret or nothing: %s", &log)
	}
	names := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range []string{theSecret, made, portaltest.ClientSecret} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds a secret", path)
			}
		}
		info, err := entry.Info()
		names[entry.Name()] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if mode, ok := names["portal.db.key"]; !ok || mode != 0o600 {
		t.Errorf("files: %v", names)
	}
}

func TestDataDoesNotOpenWithoutTheKeyOfItsSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := keptIn(filepath.Join(dir, "portal.db"))
	key := o.DataFile + ".key"
	if err := reopened(t, o); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, o); err != nil {
		t.Fatalf("with its key file: %v", err)
	}
	configured := o
	configured.SecretKey = strings.Repeat("k", 32)
	if err := reopened(t, configured); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("with a key that it was not sealed with: %v", err)
	}
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, o); err == nil || !strings.Contains(err.Error(), "portal.db.key") {
		t.Errorf("without its key file: %v", err)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a key that opens nothing was made")
	}
	if err := os.WriteFile(key, []byte("no key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, o); err == nil || !strings.Contains(err.Error(), "holds no key") {
		t.Errorf("with a broken key file: %v", err)
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, o); err != nil {
		t.Errorf("with its key file again: %v", err)
	}
}

func TestAConfiguredKeyNeedsNoFile(t *testing.T) {
	t.Parallel()
	o := keptIn(filepath.Join(t.TempDir(), "portal.db"))
	o.SecretKey = "short"
	if err := reopened(t, o); err == nil || strings.Contains(err.Error(), "short\"") || !strings.Contains(err.Error(), "32") {
		t.Errorf("a short key: %v", err)
	}
	o.SecretKey = strings.Repeat("k", 32)
	for range 2 {
		if err := reopened(t, o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(o.DataFile + ".key"); err == nil {
		t.Error("a key file was made")
	}
	o.SecretKey = ""
	if err := reopened(t, o); err == nil {
		t.Error("the data opened without its key")
	}
}

func TestPortalsThatBeginTogetherShareOneKeyFile(t *testing.T) {
	t.Parallel()
	o := keptIn(filepath.Join(t.TempDir(), "portal.db"))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := reopened(t, o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestDataFromBeforeThereWereKeysIsSealedAnew(t *testing.T) {
	t.Parallel()
	s := store.NewMemory(nil)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	given := identity.Credentials{ClientID: "id", ClientSecret: theSecret}
	open := func(key identity.Key) *identity.Identity {
		t.Helper()
		i, err := identity.Open(t.Context(), identity.Options{Store: s, Clock: clock.Real(), IDs: ident.Random(), Given: given, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	sealed := func(i *identity.Identity) (credentials, value string) {
		t.Helper()
		err := s.View(context.Background(), func(tx store.Tx) error {
			c, err := tx.Get(identity.KindCredentials, i.Org(), "id")
			if err != nil {
				return err
			}
			credentials = jsonv.String(c, "secret")
			v, err := tx.Get(identity.KindSecret, i.Org(), "K")
			value = jsonv.String(v, "value")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return credentials, value
	}
	i := open(identity.Key{})
	err := s.Update(t.Context(), func(tx store.Tx) error {
		_, err := i.CreateSecret(tx, i.Machine(), jsonv.Object{"secretName": "K", "secretValue": theSecret})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	oldCredentials, oldValue := sealed(i)
	i = open(identity.Key{Have: bytes.Repeat([]byte("k"), 32)})
	if c, v := sealed(i); c == oldCredentials || v == oldValue {
		t.Error("something is still sealed as before")
	}
	if c, err := i.Credentials(t.Context()); err != nil || c != given {
		t.Errorf("%v %v", c, err)
	}
	err = s.View(t.Context(), func(tx store.Tx) error {
		value, ok, err := i.SecretValue(tx, i.Org(), "K")
		if value != theSecret || !ok {
			t.Errorf("%q %v", value, ok)
		}
		if _, ok, err := i.SecretValue(tx, i.Org(), "none"); ok || err != nil {
			t.Errorf("a secret that is not there: %v %v", ok, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Open(t.Context(), identity.Options{Store: s, Clock: clock.Real(), IDs: ident.Random()}); err == nil {
		t.Error("the data opened without its key")
	}
}

func TestAPortalStartsWhoseFirstCredentialsWereDeletedUntold(t *testing.T) {
	t.Parallel()
	p, err := portal.New(portal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	c, err := p.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://portal.test/v1/apps/"+c.ClientID, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: p.Transport()}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	if _, told, err := p.Announce(t.Context()); told || err != nil {
		t.Errorf("%v %v", told, err)
	}
}
