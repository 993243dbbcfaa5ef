package portapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// AccessToken is a token to give to somebody else.
type AccessToken struct {
	Text, Type string
	// Expires is when the token ends; zero when that cannot be told.
	Expires time.Time
	// Life is how long that is from now on; 0 when it cannot be told.
	Life time.Duration
}

// Caller is what a client knows of whom it acts as, without asking.
type Caller struct {
	// ClientID is that of the credentials; "" with a ready token and without any.
	ClientID string
	// Anonymous says that the transport vouches for the caller.
	Anonymous bool
	// Claims are what the token says of itself (reference/identity.md §1.3). They
	// were not verified, and there are none in a token that is no JWT.
	Claims jsonv.Object
}

// Caller gets a token when there is none yet.
func (c *Client) Caller(ctx context.Context) (Caller, error) {
	if c.opts.Anonymous {
		return Caller{Anonymous: true}, nil
	}
	t, err := c.auth.current(withLog(ctx, c))
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{Claims: claimsOf(t.text)}
	if c.opts.Token == "" {
		caller.ClientID = c.opts.ClientID
	}
	return caller, nil
}

// Login exchanges credentials, which need not be the client's, for a token.
func (c *Client) Login(ctx context.Context, id, secret string) (AccessToken, error) {
	text, life, err := c.exchange(withLog(ctx, c), id, secret)
	if err != nil {
		return AccessToken{}, err
	}
	return c.described(text, life), nil
}

// OwnToken is a token for what the client itself works with: its credentials, or
// the very token it was given. It has none with a transport that vouches for its
// caller.
func (c *Client) OwnToken(ctx context.Context) (AccessToken, bool, error) {
	switch {
	case c.opts.Anonymous:
		return AccessToken{}, false, nil
	case c.opts.Token != "":
		return c.described(c.opts.Token, 0), true, nil
	}
	token, err := c.Login(ctx, c.opts.ClientID, c.opts.Secret)
	if err != nil {
		c.auth.explain(err)
	}
	return token, true, err
}

// described reads from a token when it ends, and takes the lifetime that came
// with it otherwise: the claim is to the second whatever the clocks say.
func (c *Client) described(text string, life time.Duration) AccessToken {
	token := AccessToken{Text: text, Type: "Bearer", Life: life}
	now := c.clock.Now()
	if n, ok := claimsOf(text)["exp"].(json.Number); ok {
		if exp, err := n.Int64(); err == nil {
			token.Expires = time.Unix(exp, 0)
		}
	}
	switch {
	case token.Expires.IsZero() && life > 0:
		token.Expires = now.Add(life)
	case !token.Expires.IsZero() && life == 0:
		token.Life = max(0, token.Expires.Sub(now))
	}
	return token
}

// claimsOf reads a JWT without verifying it, which only its issuer can.
func claimsOf(token string) jsonv.Object {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	claims, err := jsonv.DecodeObject(text)
	if err != nil {
		return nil
	}
	return claims
}

// exchange asks for a token (reference/identity.md §1.1).
func (c *Client) exchange(ctx context.Context, id, secret string) (string, time.Duration, error) {
	k, err := c.prepare(Op{
		Method: http.MethodPost,
		Path:   []string{"auth", "access_token"},
		Body:   jsonv.Object{"clientId": id, "clientSecret": secret},
		Repeat: RepeatSafe,
	})
	if err != nil {
		return "", 0, err
	}
	k.bare = true
	out, err := c.deliver(ctx, k)
	if err != nil {
		return "", 0, err
	}
	access := text(out.body, "accessToken")
	if access == "" {
		return "", 0, &Fault{
			Status: http.StatusOK, Method: k.Method, Path: k.path,
			Message: "the answer holds no accessToken",
			Hint:    "Check base_url: requests go to " + c.base + "/v1.",
		}
	}
	return access, lifetime(out.body["expiresIn"]), nil
}
