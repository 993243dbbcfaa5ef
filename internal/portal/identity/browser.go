package identity

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindLogin are the tokens that people got by logging in rather than for
// credentials (reference/identity.md §1.2): key org, lower-case e-mail, the id of
// the token; {"sub", "exp", "createdAt"}. Their number per user is not limited to one.
const KindLogin store.Kind = "login"

// startLogin gives a user who has just logged in a token. Writes with it are of
// origin UI (reference/identity.md §8.6). The user must be Active: others get a
// token that is refused.
func (i *Identity) startLogin(tx store.Tx, email string) (token string, err error) {
	if err := i.forgetLogins(tx, email, true); err != nil {
		return "", err
	}
	account, err := i.account(tx, ident.Email(email))
	if err != nil {
		return "", err
	}
	id := jsonv.String(account, "id")
	claims, err := i.newClaims(tx, bearer{subject: id, email: email})
	if err != nil {
		return "", err
	}
	doc := store.Doc{"sub": id, "exp": claims["exp"], "createdAt": clock.Stamp(i.clock.Now())}
	if err := tx.Put(KindLogin, doc, i.org, ident.Email(email), jsonv.String(claims, "jti")); err != nil {
		return "", err
	}
	return i.sign(claims)
}

// endLogins ends all logins of a user.
func (i *Identity) endLogins(tx store.Tx, email string) error {
	return i.forgetLogins(tx, email, false)
}

func (i *Identity) forgetLogins(tx store.Tx, email string, onlyOver bool) error {
	var rows []store.Row
	for row, err := range tx.Scan(KindLogin, nil, store.Page{}, i.org, ident.Email(email)) {
		if err != nil {
			return err
		}
		if !onlyOver || i.remaining(row.Doc) <= 0 {
			rows = append(rows, row)
		}
	}
	for _, row := range rows {
		if err := tx.Delete(KindLogin, row.Key...); err != nil {
			return err
		}
	}
	return nil
}

// checkLogin recognises the bearer of a login token.
func (i *Identity) checkLogin(tx store.Tx, c Claims) (Principal, error) {
	doc, err := tx.Get(KindLogin, i.org, ident.Email(c.email), c.id)
	if errors.Is(err, store.ErrNotFound) || err == nil && jsonv.String(doc, "sub") != c.subject {
		return Principal{}, errRevoked
	}
	if err != nil {
		return Principal{}, err
	}
	who, err := i.userPrincipal(tx, c.email)
	who.Login = true
	return who, err
}
