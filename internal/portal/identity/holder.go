package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindHolder leads from a user to the client id of the user's credentials: key org,
// lower-case e-mail; {"clientId"}.
const KindHolder store.Kind = "credentials-holder"

// The credentials of a user are {"id", "owner" e-mail, "salt", "hash", "enabled",
// "createdAt", "updatedAt", "token"}: unlike an app's they are shown once and can
// never be read again (reference/identity.md §5 A4).

// issue gives a user credentials, or new ones in place of those the user has: the
// client id stays, the old secret and the token got with it end
// (reference/identity.md §1.7). The client id of a human is the e-mail, unless it is
// that of an app already.
func (i *Identity) issue(tx store.Tx, email string, serviceAccount bool) (Credentials, error) {
	id, old, err := i.held(tx, email)
	if err != nil {
		return Credentials{}, err
	}
	if old == nil {
		if id, err = i.clientIDFor(tx, email, serviceAccount); err != nil {
			return Credentials{}, err
		}
		if err := tx.Put(KindHolder, store.Doc{"clientId": id}, i.org, ident.Email(email)); err != nil {
			return Credentials{}, err
		}
	}
	c := Credentials{id, i.ids.Alphanumeric(clientSecretLength)}
	now := clock.Stamp(i.clock.Now())
	doc := store.Doc{"id": id, "owner": email, "enabled": true, "createdAt": now, "updatedAt": now}
	if old != nil {
		doc["createdAt"] = old["createdAt"]
	}
	salt := i.ids.Alphanumeric(saltLength)
	doc["salt"], doc["hash"] = salt, hex.EncodeToString(digest(salt, c.ClientSecret))
	return c, tx.Put(KindCredentials, doc, i.org, id)
}

// endTokens ends what a user is logged in with; the credentials can be exchanged
// again as soon as the user may (reference/identity.md §5 A7).
func (i *Identity) endTokens(tx store.Tx, email string) error {
	id, doc, err := i.held(tx, email)
	if err != nil {
		return err
	}
	if jsonv.Map(doc, "token") != nil {
		doc = jsonv.CloneObject(doc)
		delete(doc, "token")
		if err := tx.Put(KindCredentials, doc, i.org, id); err != nil {
			return err
		}
	}
	return i.endLogins(tx, email)
}

// revoke takes a user's credentials away with everything that was got with them.
func (i *Identity) revoke(tx store.Tx, email string) error {
	id, doc, err := i.held(tx, email)
	if err != nil {
		return err
	}
	if doc != nil {
		if err := tx.Delete(KindCredentials, i.org, id); err != nil {
			return err
		}
	}
	if id != "" {
		if err := tx.Delete(KindHolder, i.org, ident.Email(email)); err != nil {
			return err
		}
	}
	return i.endLogins(tx, email)
}

// held returns a user's credentials; without any the document is nil.
func (i *Identity) held(tx store.Tx, email string) (id string, doc store.Doc, err error) {
	holder, err := tx.Get(KindHolder, i.org, ident.Email(email))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	id = jsonv.String(holder, "clientId")
	doc, err = tx.Get(KindCredentials, i.org, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !ident.SameEmail(jsonv.String(doc, "owner"), email) {
		return id, nil, nil
	}
	return id, doc, err
}

func (i *Identity) clientIDFor(tx store.Tx, email string, serviceAccount bool) (string, error) {
	if serviceAccount {
		return i.ids.Alphanumeric(clientIDLength), nil
	}
	_, err := tx.Get(KindCredentials, i.org, email)
	if errors.Is(err, store.ErrNotFound) {
		return email, nil
	}
	return i.ids.Alphanumeric(clientIDLength), err
}

// RotateCredentials answers POST /v1/rotate-credentials/{user_email}
// (reference/identity.md §1.7). It works for users who may not log in, too.
func (i *Identity) RotateCredentials(tx store.Tx, who Principal, email string) (jsonv.Object, error) {
	entity, err := i.user(tx, email)
	if err != nil {
		return nil, err
	}
	if entity == nil {
		return nil, fault.NotFound("User", email)
	}
	email = jsonv.String(entity, "identifier")
	_, before, err := i.held(tx, email)
	if err != nil {
		return nil, err
	}
	c, err := i.issue(tx, email, isServiceAccount(entity))
	if err != nil {
		return nil, err
	}
	_, after, err := i.held(tx, email)
	if err != nil {
		return nil, err
	}
	action := "UPDATE"
	if before == nil {
		action = "CREATE"
	}
	return c.answer(), i.note(tx, who, noted{action, "credentials", c.ClientID}, before, after)
}

// answer is how credentials are told to whom they are for.
func (c Credentials) answer() jsonv.Object {
	return jsonv.Object{"clientId": c.ClientID, "clientSecret": c.ClientSecret}
}

const saltLength = 16

// digest is what is kept of a user's secret. A slow function would protect nothing:
// secrets are 64 characters drawn at random, some 380 bits, so that who holds the
// data cannot try them however fast one try is. The salt keeps equal digests from
// telling of equal secrets.
func digest(salt, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// hashes tells whether a secret is the one that a digest was made of, in a time that
// does not depend on it.
func hashes(doc store.Doc, secret string) bool {
	want, err := hex.DecodeString(jsonv.String(doc, "hash"))
	return subtle.ConstantTimeCompare(want, digest(jsonv.String(doc, "salt"), secret)) == 1 && err == nil
}
