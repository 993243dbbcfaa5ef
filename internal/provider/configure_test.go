package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// hosts records where requests go and passes them on.
type hosts struct {
	http.RoundTripper
	urls []string
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	h.urls = append(h.urls, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
	return h.RoundTripper.RoundTrip(r)
}

func unconfigured(t *testing.T, o Options, env map[string]string) protocol {
	t.Helper()
	o.Getenv = func(name string) string { return env[name] }
	factory, closer := NewServer(o)
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	})
	return protocol{t, factory()}
}

func TestProviderSettingsComeFromBlockThenEnvironment(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	good := map[string]string{"PORT_CLIENT_ID": p.ClientID, "PORT_CLIENT_SECRET": p.ClientSecret}
	with := func(more ...string) map[string]string {
		env := map[string]string{}
		for k, v := range good {
			env[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			env[more[i]] = more[i+1]
		}
		return env
	}
	for name, c := range map[string]struct {
		env   map[string]string
		block lens.Obj
		url   string // of the login
		want  string // in the error
	}{
		"environment":          {with(), nil, "https://api.getport.io/v1/auth/access_token", ""},
		"base url":             {with("PORT_BASE_URL", "http://a.test"), nil, "http://a.test/v1/auth/access_token", ""},
		"with v1":              {with("PORT_BASE_URL", "http://a.test/v1/"), nil, "http://a.test/v1/auth/access_token", ""},
		"slashes":              {with(), lens.Obj{"base_url": lens.Str("http://a.test//")}, "http://a.test/v1/auth/access_token", ""},
		"block wins":           {with("PORT_BASE_URL", "http://a.test"), lens.Obj{"base_url": lens.Str("http://b.test")}, "http://b.test/v1/auth/access_token", ""},
		"empty base url":       {with("PORT_BASE_URL", "http://a.test"), lens.Obj{"base_url": lens.Str("")}, "https://api.getport.io/v1/auth/access_token", ""},
		"block credentials":    {nil, lens.Obj{"client_id": lens.Str(p.ClientID), "secret": lens.Str(p.ClientSecret)}, "https://api.getport.io/v1/auth/access_token", ""},
		"no id":                {map[string]string{"PORT_CLIENT_SECRET": "x"}, nil, "", "client_id.*PORT_CLIENT_ID"},
		"no secret":            {map[string]string{"PORT_CLIENT_ID": "x"}, nil, "", "secret.*PORT_CLIENT_SECRET"},
		"empty id":             {with(), lens.Obj{"client_id": lens.Str("")}, "", "client_id.*PORT_CLIENT_ID"},
		"wrong secret":         {with("PORT_CLIENT_SECRET", "wrong"), nil, "", "did not accept the credentials.*invalid_credentials"},
		"token":                {nil, lens.Obj{"token": lens.Str("t")}, "none", ""},
		"empty token":          {nil, lens.Obj{"token": lens.Str("")}, "", "client_id"},
		"no url":               {with("PORT_BASE_URL", "ftp://x"), nil, "", "base URL"},
		"no scheme":            {with("PORT_BASE_URL", "127.0.0.1:3000"), nil, "", "want http:// or https://"},
		"on_existing":          {with(), lens.Obj{"on_existing": lens.Str("fail")}, "https://api.getport.io/v1/auth/access_token", ""},
		"embedded without one": {map[string]string{"PORT_BASE_URL": "embedded:x"}, nil, "", "no embedded portal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &hosts{RoundTripper: p.Transport()}
			server := unconfigured(t, Options{Transport: h}, c.env)
			diags := server.configure(c.block, false)
			text := strings.ReplaceAll(say(diags), "\n", " ")
			if c.want == "" {
				if len(diags) > 0 {
					t.Fatal(text)
				}
				if got := strings.Join(h.urls, " "); got != strings.TrimPrefix(c.url, "none") {
					t.Errorf("requests: %q, want %q", got, c.url)
				}
				return
			}
			if !regexp.MustCompile(`(?s)` + c.want).MatchString(text) {
				t.Errorf("errors: %s, want %s", text, c.want)
			}
			for _, secret := range []string{"wrong", p.ClientSecret} {
				if strings.Contains(text, secret+`"`) || strings.Contains(text, p.ClientSecret) {
					t.Errorf("the error shows the secret: %s", text)
				}
			}
		})
	}
}

func TestUnknownProviderSettingsAreSaidOrDeferred(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	for _, name := range []string{"client_id", "secret", "token", "base_url", "on_existing"} {
		server := unconfigured(t, Options{Transport: p.Transport()}, nil)
		block := lens.Obj{name: tftypes.NewValue(tftypes.String, tftypes.UnknownValue)}
		diags := server.configure(block, false)
		if len(diags) != 1 || !strings.Contains(diags[0].Summary, "not known yet") || diags[0].Attribute.String() != `AttributeName("`+name+`")` {
			t.Errorf("%s: %s", name, say(diags))
		}
		if resp := server.configureFully(block, true); len(resp.Diagnostics) > 0 {
			t.Errorf("%s with deferral: %s", name, say(resp.Diagnostics))
		}
		// A deferred provider defers what it manages.
		k := kindOf(t, "blueprint")
		state := k.stateOf([]string{"a"})
		resp, err := server.ReadResource(context.Background(), &tfprotov6.ReadResourceRequest{
			TypeName: "port_blueprint", CurrentState: server.dynamic(k.typ, state),
			ClientCapabilities: &tfprotov6.ReadResourceClientCapabilities{DeferralAllowed: true},
		})
		if err != nil || resp.Deferred == nil {
			t.Errorf("%s: a read is not deferred: %v %+v", name, err, resp)
		}
	}
}

type closing struct{ closed *int }

func (c closing) Close() error { *c.closed++; return nil }

func TestEmbeddedPortalIsOpenedOncePerFileAndClosed(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	var opened []string
	closed := 0
	open := func(_ context.Context, file string) (http.RoundTripper, io.Closer, error) {
		if strings.HasSuffix(file, "broken") {
			return nil, nil, errors.New("not a data file")
		}
		opened = append(opened, file)
		return p.Transport(), closing{&closed}, nil
	}
	o := Options{Embedded: open, Getenv: func(name string) string { return map[string]string{"PORT_BASE_URL": "embedded:a.db"}[name] }}
	factory, closer := NewServer(o)
	absolute, err := filepath.Abs("a.db")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if diags := (protocol{t, factory()}).configure(nil, false); len(diags) > 0 {
			t.Fatal(say(diags))
		}
	}
	if diags := (protocol{t, factory()}).configure(lens.Obj{"base_url": lens.Str("embedded:" + absolute)}, false); len(diags) > 0 {
		t.Fatal(say(diags))
	}
	if len(opened) != 1 || opened[0] != absolute {
		t.Errorf("opened %q", opened)
	}
	for url, want := range map[string]string{"embedded:": "no file is named", "embedded:/broken": "not a data file"} {
		if diags := (protocol{t, factory()}).configure(lens.Obj{"base_url": lens.Str(url)}, false); !strings.Contains(say(diags), want) {
			t.Errorf("%s: %s", url, say(diags))
		}
	}
	if err := closer.Close(); err != nil || closed != 1 {
		t.Errorf("closed %d times: %v", closed, err)
	}
}
