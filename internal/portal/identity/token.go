package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
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
	audience = "https://api.getport.io"
)

// Exchange answers POST /v1/auth/access_token (reference/identity.md §1.1). While
// a token of these credentials lives, every exchange returns that same token.
func (i *Identity) Exchange(ctx context.Context, body any) (jsonv.Object, error) {
	given, err := exchangeBody(body)
	if err != nil {
		return nil, err
	}
	var live jsonv.Object
	err = i.store.View(ctx, func(tx store.Tx) error {
		doc, err := i.verify(tx, given)
		live = i.liveClaims(doc)
		return err
	})
	if err == nil && live == nil {
		live, err = i.mint(ctx, given)
	}
	if err != nil {
		return nil, err
	}
	return i.answer(live)
}

func exchangeBody(body any) (Credentials, error) {
	var problems fault.Problems
	object, ok := body.(jsonv.Object)
	if !ok {
		problems.Add("", "must be object, got %s", jsonv.KindOf(body))
		return Credentials{}, problems.Invalid()
	}
	var c Credentials
	for key, into := range map[string]*string{"clientId": &c.ClientID, "clientSecret": &c.ClientSecret} {
		value, present := object[key]
		text, ok := value.(string)
		switch {
		case !present:
			problems.Add("", "must have required property '%s'", key)
		case !ok:
			problems.Add("/"+key, "must be string, got %s", jsonv.KindOf(value))
		}
		*into = text
	}
	for key := range object {
		if key != "clientId" && key != "clientSecret" {
			problems.Add("", "%s", fault.UnknownKey(key))
		}
	}
	return c, problems.Invalid()
}

// verify returns the credentials' document. Every failure is the same fault after
// the same work, so that neither text nor time tells which client ids exist.
func (i *Identity) verify(tx store.Tx, given Credentials) (store.Doc, error) {
	doc, err := tx.Get(KindCredentials, i.org, given.ClientID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	var want string
	if err == nil {
		if want, err = i.open(jsonv.String(doc, "secret"), sealedCredentials(given.ClientID)); err != nil {
			return nil, err
		}
	}
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(given.ClientSecret))
	same := subtle.ConstantTimeCompare(a[:], b[:]) == 1
	if !same || doc == nil || !jsonv.Bool(doc, "enabled") {
		return nil, refused()
	}
	return doc, nil
}

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
		org, err := tx.Get(KindOrganization, i.org)
		if err != nil {
			return err
		}
		now := i.clock.Now()
		// Claims count whole seconds: rounding up gives a fresh token its full time.
		expires := now.Add(lifetime + time.Second - 1).Truncate(time.Second)
		claims = jsonv.Object{
			"iss": issuer, "aud": []any{audience}, "sub": given.ClientID, "jti": i.ids.Trace(),
			"iat": jsonv.Int(now.Unix()), "exp": jsonv.Int(expires.Unix()),
			"orgId": i.org, "isMachine": true, "personalToken": false,
			audience + "/orgId": i.org, audience + "/orgName": jsonv.String(org, "name"), audience + "/email": "",
		}
		doc = jsonv.CloneObject(doc)
		doc["token"] = claims
		return tx.Put(KindCredentials, doc, i.org, given.ClientID)
	})
	return claims, err
}

// answer signs the claims. HS256 is deterministic, so the same claims give the
// same token.
func (i *Identity) answer(claims jsonv.Object) (jsonv.Object, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString(i.signing)
	if err != nil {
		return nil, err
	}
	seconds := max(1, int64(i.remaining(claims)/time.Second))
	return jsonv.Object{"accessToken": token, "expiresIn": jsonv.Int(seconds), "tokenType": "Bearer"}, nil
}

// Claims are what a token says after its signature and its time were checked.
type Claims struct {
	org, subject, id string
	expires          time.Time
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
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(i.clock.Now))
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
	c := Claims{jsonv.String(said, "orgId"), jsonv.String(said, "sub"), jsonv.String(said, "jti"), expires.Time}
	i.verified.put(token, c)
	return c, nil
}

var errExpired = fault.Unauthorized("The access token has expired")

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

// Check decides by what is stored now whether the bearer of a token is somebody:
// its credentials must still exist, be enabled, and hold this very token.
func (i *Identity) Check(tx store.Tx, c Claims) (Principal, error) {
	if c.org != i.org || c.subject == "" {
		return Principal{}, fault.Unauthorized("The access token belongs to another organization")
	}
	doc, err := tx.Get(KindCredentials, i.org, c.subject)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (!jsonv.Bool(doc, "enabled") || jsonv.String(doc, "token", "jti") != c.id)) {
		return Principal{}, fault.Unauthorized("The access token was revoked")
	}
	if err != nil {
		return Principal{}, err
	}
	return Principal{Org: i.org, ID: c.subject}, nil
}
