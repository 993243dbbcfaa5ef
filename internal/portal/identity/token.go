package identity

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const (
	lifetime = 3 * time.Hour
	issuer   = "port"
	// audience prefixes the claims that one client reads without verifying
	// (reference/identity.md §1.3).
	audience   = "https://api.getport.io"
	emailClaim = audience + "/email"
)

// liveClaims are the claims of the token that was handed out and still lives.
func (i *Identity) liveClaims(doc store.Doc) jsonv.Object {
	claims := jsonv.Map(doc, "token")
	if claims == nil || i.remaining(claims) <= 0 {
		return nil
	}
	return claims
}

func (i *Identity) remaining(claims jsonv.Object) time.Duration {
	n, ok := claims["exp"].(json.Number)
	if !ok {
		return 0
	}
	exp, err := n.Int64()
	if err != nil {
		return 0
	}
	return time.Unix(exp, 0).Sub(i.clock.Now())
}

func (i *Identity) mint(ctx context.Context, given Credentials) (claims jsonv.Object, err error) {
	err = i.store.Update(ctx, func(tx store.Tx) error {
		doc, err := i.verify(tx, given)
		if err != nil {
			return err
		}
		if claims = i.liveClaims(doc); claims != nil {
			return nil // another caller was faster
		}
		if claims, err = i.newClaims(tx, bearerOf(doc)); err != nil {
			return err
		}
		doc = jsonv.CloneObject(doc)
		doc["token"] = claims
		return tx.Put(KindCredentials, doc, i.org, jsonv.String(doc, "id"))
	})
	return claims, err
}

// bearer is whom a token is made for; the rows of the table of
// reference/identity.md §1.3.
type bearer struct {
	subject, email    string
	machine, personal bool
}

func bearerOf(credentials store.Doc) bearer {
	b := bearer{subject: jsonv.String(credentials, "id"), email: jsonv.String(credentials, "owner")}
	b.machine, b.personal = b.email == "", b.email != ""
	return b
}

func (i *Identity) newClaims(tx store.Tx, b bearer) (jsonv.Object, error) {
	org, err := tx.Get(KindOrganization, i.org)
	if err != nil {
		return nil, err
	}
	now := i.clock.Now()
	// Claims count whole seconds: rounding up gives a fresh token its full time.
	expires := now.Add(lifetime + time.Second - 1).Truncate(time.Second)
	return jsonv.Object{
		"iss": issuer, "aud": []any{audience}, "sub": b.subject, "jti": i.ids.Trace(),
		"iat": jsonv.Int(now.Unix()), "exp": jsonv.Int(expires.Unix()),
		"orgId": i.org, "isMachine": b.machine, "personalToken": b.personal,
		audience + "/orgId": i.org, audience + "/orgName": jsonv.String(org, "name"), emailClaim: b.email,
	}, nil
}

// sign makes the token that says the claims. HS256 is deterministic, so the same
// claims give the same token.
func (i *Identity) sign(claims jsonv.Object) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString(i.signing)
}

func (i *Identity) answer(claims jsonv.Object) (jsonv.Object, error) {
	token, err := i.sign(claims)
	if err != nil {
		return nil, err
	}
	seconds := max(1, int64(i.remaining(claims)/time.Second))
	return jsonv.Object{"accessToken": token, "expiresIn": jsonv.Int(seconds), "tokenType": "Bearer"}, nil
}

// Claims are what a token says after its signature and its time were checked.
type Claims struct {
	org, subject, id string
	// email is set for who logged in, who has no credentials to be looked up by.
	email   string
	login   bool
	expires time.Time
}

// Parse reads an Authorization header: "Bearer <token>" in any case, or the bare
// token (reference/identity.md §1.4). It needs no store.
func (i *Identity) Parse(header string) (Claims, error) {
	token := strings.TrimSpace(header)
	if scheme, rest, ok := strings.Cut(token, " "); ok {
		if !strings.EqualFold(scheme, "Bearer") {
			return Claims{}, fault.Unauthorized("The Authorization header must be \"Bearer <access token>\"")
		}
		token = strings.TrimSpace(rest)
	}
	if token == "" {
		return Claims{}, fault.Unauthorized("The access token is missing: send the header \"Authorization: Bearer <access token>\"")
	}
	if c, ok := i.verified.get(token); ok {
		if !i.clock.Now().Before(c.expires) {
			return Claims{}, errExpired
		}
		return c, nil
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return i.signing, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(i.clock.Now), jwt.WithStrictDecoding())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Claims{}, errExpired
	case err != nil:
		return Claims{}, fault.Unauthorized("The access token is not valid")
	}
	expires, err := claims.GetExpirationTime()
	if err != nil || expires == nil {
		return Claims{}, fault.Unauthorized("The access token is not valid")
	}
	said := jsonv.Object(claims)
	c := Claims{
		org: jsonv.String(said, "orgId"), subject: jsonv.String(said, "sub"), id: jsonv.String(said, "jti"),
		email: jsonv.String(said, emailClaim), expires: expires.Time,
		login: !jsonv.Bool(said, "isMachine") && !jsonv.Bool(said, "personalToken"),
	}
	i.verified.put(token, c)
	return c, nil
}

// verified remembers tokens whose signature was found good, since decoding one
// costs more than reading an entity. Whether a token still counts is asked of the
// clock and the store each time.
type verified struct {
	mu     sync.RWMutex
	tokens map[string]Claims
}

// mostVerified bounds the memory; the live tokens of an organization are few.
const mostVerified = 1024

func (v *verified) get(token string) (Claims, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c, ok := v.tokens[token]
	return c, ok
}

func (v *verified) put(token string, c Claims) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil || len(v.tokens) >= mostVerified {
		v.tokens = map[string]Claims{}
	}
	v.tokens[token] = c
}
