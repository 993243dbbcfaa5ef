package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Exchange answers POST /v1/auth/access_token (reference/identity.md §1.1). While
// a token of these credentials lives, every exchange returns that same token. from is
// the address of the caller.
func (i *Identity) Exchange(ctx context.Context, from string, body any) (jsonv.Object, error) {
	given, err := exchangeBody(body)
	if err != nil {
		return nil, err
	}
	attempt := attemptOf(given.ClientID, from)
	if err := i.attempts.admit(attempt); err != nil {
		return nil, err
	}
	if err := i.attempts.slow(ctx, attempt); err != nil {
		return nil, err
	}
	answer, err := i.exchange(ctx, given)
	i.attempts.note(attempt, err)
	return answer, err
}

func (i *Identity) exchange(ctx context.Context, given Credentials) (jsonv.Object, error) {
	var live jsonv.Object
	err := i.store.View(ctx, func(tx store.Tx) error {
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
	o, err := shape.Body(body, shape.Takes{"clientId": shape.Text, "clientSecret": shape.Text}, "clientId", "clientSecret")
	return Credentials{ClientID: jsonv.String(o, "clientId"), ClientSecret: jsonv.String(o, "clientSecret")}, err
}

// verify returns the credentials' document. Every failure is the same fault after
// the same work, so that neither text nor time tells which client ids exist, nor
// whose owner may not log in (reference/identity.md §1.1).
func (i *Identity) verify(tx store.Tx, given Credentials) (store.Doc, error) {
	doc, err := i.lookUp(tx, given.ClientID)
	if err != nil {
		return nil, err
	}
	owner, sealed, whose := given.ClientID, i.decoy, ""
	if doc != nil && jsonv.String(doc, "secret") != "" {
		sealed, whose = jsonv.String(doc, "secret"), sealedCredentials(jsonv.String(doc, "id"))
	}
	if o := jsonv.String(doc, "owner"); o != "" {
		owner = o
	}
	secret, err := i.open(sealed, whose)
	if err != nil {
		return nil, err
	}
	entity, err := i.user(tx, owner)
	if err != nil {
		return nil, err
	}
	readable, hashed := same(secret, given.ClientSecret), hashes(doc, given.ClientSecret)
	right := readable && whose != ""
	if !isApp(doc) {
		right = hashed && active(entity)
	}
	if !right || !jsonv.Bool(doc, "enabled") {
		return nil, refused()
	}
	return doc, nil
}

// lookUp finds credentials by their client id. One that is an e-mail address is
// found in any letter case.
func (i *Identity) lookUp(tx store.Tx, clientID string) (store.Doc, error) {
	doc, err := tx.Get(KindCredentials, i.org, clientID)
	if lower := ident.Email(clientID); errors.Is(err, store.ErrNotFound) && strings.Contains(lower, "@") && lower != clientID {
		doc, err = tx.Get(KindCredentials, i.org, lower)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return doc, err
}

// same compares secrets in a time that does not depend on them.
func same(want, given string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
