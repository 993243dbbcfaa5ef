package identity

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// users is an organization in memory with users in it.
type users struct {
	*Identity
	t     *testing.T
	clock *clock.Fake
}

func newUsers(t *testing.T, emails ...string) users {
	t.Helper()
	s := store.NewMemory(nil)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := clock.NewFake(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	i, err := Open(t.Context(), Options{Store: s, Clock: c, IDs: ident.Random()})
	if err != nil {
		t.Fatal(err)
	}
	u := users{i, t, c}
	for _, email := range emails {
		u.put(email, "Active", jsonv.Object{})
	}
	return u
}

func (u users) put(email, status string, properties jsonv.Object) {
	u.t.Helper()
	properties["status"] = status
	u.update(func(tx store.Tx) error {
		return tx.Put(catalog.KindEntity, store.Doc{"identifier": email, "properties": properties, "team": []any{"t"}}, u.org, "_user", email)
	})
}

func (u users) update(f func(store.Tx) error) {
	u.t.Helper()
	if err := u.store.Update(u.t.Context(), f); err != nil {
		u.t.Fatal(err)
	}
}

func (u users) issued(email string, serviceAccount bool) (c Credentials) {
	u.t.Helper()
	u.update(func(tx store.Tx) (err error) {
		c, err = u.issue(tx, email, serviceAccount)
		return err
	})
	return c
}

func (u users) token(c Credentials) string {
	u.t.Helper()
	answer, err := u.Exchange(u.t.Context(), "", c.answer())
	if err != nil {
		return ""
	}
	return jsonv.String(answer, "accessToken")
}

func (u users) who(token string) *access.User {
	u.t.Helper()
	claims, err := u.Parse(token)
	if err != nil {
		return nil
	}
	var who Principal
	err = u.store.View(u.t.Context(), func(tx store.Tx) (err error) {
		who, err = u.Check(tx, claims)
		return err
	})
	if err != nil {
		return nil
	}
	return who.User
}

func TestWhatAUserMayDoIsReadAtEveryCheck(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io")
	token := u.token(u.issued("a@x.io", false))
	id := u.who(token).ID
	u.put("a@x.io", "Active", jsonv.Object{"port_role": "Moderator", "moderated_blueprints": []any{"b"}, "port_type": "Standard"})
	want := &access.User{ID: id, Email: "a@x.io", Role: access.RoleModerator, Moderates: []string{"b"}, Teams: []string{"t"}}
	if diff := cmp.Diff(want, u.who(token)); diff != "" {
		t.Error(diff)
	}
	for _, status := range []string{"Disabled", "Staged", "Invited", ""} {
		u.put("a@x.io", status, jsonv.Object{})
		if who := u.who(token); who != nil {
			t.Errorf("%q: %+v", status, who)
		}
	}
}

func TestClientIDsOfUsersStay(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io", "bot@serviceaccounts.getport.io")
	human, bot := u.issued("a@x.io", false), u.issued("bot@serviceaccounts.getport.io", true)
	if human.ClientID != "a@x.io" || len(bot.ClientID) != 32 || len(bot.ClientSecret) != 64 {
		t.Errorf("%+v %+v", human.ClientID, bot.ClientID)
	}
	again := u.issued("bot@serviceaccounts.getport.io", true)
	if again.ClientID != bot.ClientID || again.ClientSecret == bot.ClientSecret {
		t.Errorf("%+v then %+v", bot, again)
	}
	u.update(func(tx store.Tx) error { return u.revoke(tx, "bot@serviceaccounts.getport.io") })
	if reborn := u.issued("bot@serviceaccounts.getport.io", true); reborn.ClientID == bot.ClientID {
		t.Error("a new account has the client id of the one that was deleted")
	}
}

func TestAUsersCredentialsNeverReplaceAnApps(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io")
	app := Credentials{"a@x.io", "the app's"}
	u.update(func(tx store.Tx) error {
		_, err := u.addCredentials(tx, "odd", app)
		return err
	})
	c := u.issued("a@x.io", false)
	if c.ClientID == "a@x.io" || u.who(u.token(c)) == nil || u.token(app) == "" {
		t.Errorf("client id %q", c.ClientID)
	}
	u.update(func(tx store.Tx) error { return u.revoke(tx, "a@x.io") })
	if u.token(app) == "" || u.token(c) != "" {
		t.Error("revoking the user's credentials must take those and no others")
	}
}

func TestEndingTokensKeepsCredentialsAndRevokingDoesNot(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io", "b@x.io")
	c, other := u.issued("a@x.io", false), u.token(u.issued("b@x.io", false))
	token := u.token(c)
	var login string
	u.update(func(tx store.Tx) (err error) {
		login, err = u.startLogin(tx, "a@x.io")
		return err
	})
	if u.who(token) == nil || u.who(login) == nil || u.token(c) != token {
		t.Fatal("the tokens do not work")
	}
	u.update(func(tx store.Tx) error { return u.endTokens(tx, "A@x.io") })
	next := u.token(c)
	if u.who(token) != nil || u.who(login) != nil || next == token || u.who(next) == nil {
		t.Error("tokens outlive their end")
	}
	u.update(func(tx store.Tx) error { return u.revoke(tx, "a@x.io") })
	if u.who(next) != nil || u.token(c) != "" || u.who(other) == nil {
		t.Error("what was revoked is accepted, or somebody else's is not")
	}
	for _, f := range []func(store.Tx, string) error{u.endTokens, u.revoke} {
		u.update(func(tx store.Tx) error { return f(tx, "nobody@x.io") })
	}
}

func TestSecretsOfUsersAreKeptOnlyAsSaltedHashes(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io")
	c := u.issued("a@x.io", false)
	err := u.store.View(t.Context(), func(tx store.Tx) error {
		_, doc, err := u.held(tx, "a@x.io")
		if !hashes(doc, c.ClientSecret) || hashes(doc, c.ClientSecret+"x") || hashes(doc, "") || hashes(nil, "") {
			t.Error("the hash is not that of the secret")
		}
		text := string(jsonv.Encode(doc))
		if len(jsonv.String(doc, "salt")) < 16 || len(jsonv.String(doc, "hash")) != 64 || jsonv.String(doc, "secret") != "" {
			t.Error(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestALoginIsOfOriginUIAndEndsAfterItsTime(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "b@x.io")
	var first, second string
	u.update(func(tx store.Tx) (err error) {
		if first, err = u.startLogin(tx, "b@x.io"); err == nil {
			second, err = u.startLogin(tx, "b@x.io")
		}
		return err
	})
	if first == second || u.who(first) == nil || u.who(second) == nil {
		t.Error("a user may be logged in twice")
	}
	claims, err := u.Parse(second)
	if err != nil {
		t.Fatal(err)
	}
	err = u.store.View(t.Context(), func(tx store.Tx) error {
		who, err := u.Check(tx, claims)
		if !who.Login || who.ID != claims.subject {
			t.Errorf("%+v", who)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	u.clock.Advance(lifetime + time.Second)
	if u.who(first) != nil {
		t.Error("a login outlives its time")
	}
}

// rows: id §1.3 1-4, id §1.2 3-4
func TestTokensSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	bot := "bot@serviceaccounts.getport.io"
	u := newUsers(t, "a@x.io", bot)
	machine, err := u.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	human, service := u.issued("a@x.io", false), u.issued(bot, true)
	var login string
	u.update(func(tx store.Tx) (err error) {
		login, err = u.startLogin(tx, "a@x.io")
		return err
	})
	for name, c := range map[string]struct {
		token, subject, email string
		machine, personal     bool
	}{
		"machine":         {u.token(machine), machine.ClientID, "", true, false},
		"human":           {u.token(human), "a@x.io", "a@x.io", false, true},
		"service account": {u.token(service), service.ClientID, bot, false, true},
		"login":           {login, u.who(login).ID, "a@x.io", false, false},
	} {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.token, ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := jsonv.DecodeObject(payload)
		if err != nil {
			t.Fatal(err)
		}
		at := u.clock.Now().Unix()
		want := jsonv.Object{
			"iss": "port", "aud": []any{"https://api.getport.io"}, "sub": c.subject, "jti": got["jti"],
			"iat": jsonv.Int(at), "exp": jsonv.Int(at + 10800), "orgId": u.org, "isMachine": c.machine, "personalToken": c.personal,
			"https://api.getport.io/orgId": u.org, "https://api.getport.io/orgName": "Port", "https://api.getport.io/email": c.email,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestATokenThatNamesAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io", "b@x.io")
	var login string
	u.update(func(tx store.Tx) (err error) {
		login, err = u.startLogin(tx, "a@x.io")
		return err
	})
	good, err := u.Parse(login)
	if err != nil {
		t.Fatal(err)
	}
	personal, err := u.Parse(u.token(u.issued("a@x.io", false)))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c Claims, d Claims) Claims{
		"login of another":     func(c, _ Claims) Claims { c.email = "b@x.io"; return c },
		"login as another":     func(c, _ Claims) Claims { c.subject = "auth0|other"; return c },
		"another login":        func(c, _ Claims) Claims { c.id = "other"; return c },
		"personal as login":    func(_, d Claims) Claims { d.login = true; return d },
		"login as personal":    func(c, _ Claims) Claims { c.login = false; return c },
		"another organization": func(_, d Claims) Claims { d.org = "org_other"; return d },
		"another token":        func(_, d Claims) Claims { d.id = "other"; return d },
		"nobody":               func(_, d Claims) Claims { d.subject = ""; return d },
	} {
		err := u.store.View(t.Context(), func(tx store.Tx) error {
			_, err := u.Check(tx, change(good, personal))
			return err
		})
		var f *fault.Fault
		if !errors.As(err, &f) || f.Status != 401 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusalsOfCredentialsDoNotTellWhy(t *testing.T) {
	t.Parallel()
	u := newUsers(t, "a@x.io", "off@x.io", "gone@x.io", "staged@x.io")
	right := u.issued("a@x.io", false)
	off, gone, staged := u.issued("off@x.io", false), u.issued("gone@x.io", false), u.issued("staged@x.io", false)
	u.put("off@x.io", "Disabled", jsonv.Object{})
	u.put("staged@x.io", "Staged", jsonv.Object{})
	u.update(func(tx store.Tx) error { return tx.Delete(catalog.KindEntity, u.org, "_user", "gone@x.io") })
	machine, err := u.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, c := range []Credentials{
		{"nobody@x.io", "x"}, {right.ClientID, "x"}, {right.ClientID, ""}, {machine.ClientID, "x"}, {"", ""},
		{machine.ClientID, strings.Repeat("0", clientSecretLength)}, {"nobody@x.io", strings.Repeat("0", clientSecretLength)},
		off, gone, staged,
	} {
		_, err := u.Exchange(t.Context(), "", c.answer())
		var f *fault.Fault
		if !errors.As(err, &f) || f.Status != 401 || f.Code != "invalid_credentials" || f.Details != nil {
			t.Errorf("%s: %v", c.ClientID, err)
			continue
		}
		answers = append(answers, f.Message)
	}
	if len(slices.Compact(answers)) != 1 {
		t.Errorf("different answers: %q", answers)
	}
}
