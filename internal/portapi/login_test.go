package portapi

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// jwt is a token that says claims; nobody here looks at its signature.
func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestLoginExchangesWhateverCredentialsItIsGiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}, auth: lasting("60")}
		c := client(t, Options{Transport: s})
		got, err := c.Login(t.Context(), "other", "other-secret")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(AccessToken{Text: "token-1", Type: "Bearer", Expires: time.Now().Add(time.Minute), Life: time.Minute}, got); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(`{"clientId":"other","clientSecret":"other-secret"}`, s.auths[0].body); diff != "" || s.auths[0].header.Get("Authorization") != "" {
			t.Errorf("sent with Authorization %q: %s", s.auths[0].header.Get("Authorization"), diff)
		}
		// The client goes on with its own.
		if _, err := c.Call(t.Context(), opGet); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"token-2"}, tokens(s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARefusedLoginNamesNoSecret(t *testing.T) {
	t.Parallel()
	s := &script{auth: func(int) step {
		return answered(401, `{"ok":false,"error":"invalid_credentials","message":"no other-secret here"}`)
	}}
	c := client(t, Options{Transport: s})
	_, err := c.Login(t.Context(), "other", "other-secret")
	if !HasCode(err, "invalid_credentials") || strings.Contains(err.Error(), "other-secret") || strings.Contains(err.Error(), "PORT_CLIENT_ID") {
		t.Errorf("got %v", err)
	}
	// Of the client's own credentials it says where they come from.
	if _, own, err := c.OwnToken(t.Context()); !own || err == nil || !strings.Contains(err.Error(), "PORT_CLIENT_ID") {
		t.Errorf("got %v", err)
	}
}

func TestOwnTokenIsWhatTheClientWorksWith(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := jwt(`{"exp":` + string(jsonv.Encode(jsonv.Int(now.Add(time.Hour).Unix()))) + `}`)
	for name, c := range map[string]struct {
		options Options
		own     bool
		text    string
		expires time.Time
	}{
		"credentials":     {Options{ClientID: "id", Secret: "secret"}, true, "token-1", time.Time{}},
		"a token":         {Options{Token: clock}, true, clock, time.Unix(now.Add(time.Hour).Unix(), 0)},
		"opaque":          {Options{Token: "opaque"}, true, "opaque", time.Time{}},
		"broken":          {Options{Token: "a.%%.c"}, true, "a.%%.c", time.Time{}},
		"no claims":       {Options{Token: jwt(`[]`)}, true, jwt(`[]`), time.Time{}},
		"no time in it":   {Options{Token: jwt(`{"exp":"soon"}`)}, true, jwt(`{"exp":"soon"}`), time.Time{}},
		"asked by nobody": {Options{Anonymous: true}, false, "", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.Transport = &script{}
			client, err := New(c.options)
			if err != nil {
				t.Fatal(err)
			}
			got, own, err := client.OwnToken(t.Context())
			if err != nil || own != c.own || got.Text != c.text || !got.Expires.Equal(c.expires) {
				t.Errorf("got %+v %v %v", got, own, err)
			}
			if known := !c.expires.IsZero(); known != (got.Life > 0) {
				t.Errorf("it lives %s", got.Life)
			}
		})
	}
}

func TestCallerIsWhatTheTokenSays(t *testing.T) {
	t.Parallel()
	claims := jsonv.Object{"sub": "me", "isMachine": false}
	token := jwt(`{"sub":"me","isMachine":false}`)
	exchanged := func(int) step { return answered(200, `{"ok":true,"accessToken":"`+token+`"}`) }
	for name, c := range map[string]struct {
		options Options
		want    Caller
	}{
		"credentials": {Options{ClientID: "id", Secret: "secret", Transport: &script{auth: exchanged}}, Caller{ClientID: "id", Claims: claims}},
		"a token":     {Options{Token: token, ClientID: "ignored", Transport: &script{}}, Caller{Claims: claims}},
		"anonymous":   {Options{Anonymous: true, Transport: &script{}}, Caller{Anonymous: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := New(c.options)
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Caller(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
