package identity

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The credentials document of an app is {"id", "name", "secret" sealed, "enabled",
// "createdAt", "updatedAt", "token"}; token is the claim set of the one live
// token (reference/identity.md §1.1 T4), not the token itself.

// The lengths of a client id (reference/identity.md §1.2) and of its secret.
const (
	clientIDLength     = 32
	clientSecretLength = 64
)

func (i *Identity) newCredentials() Credentials {
	return Credentials{i.ids.Alphanumeric(clientIDLength), i.ids.Alphanumeric(clientSecretLength)}
}

func (i *Identity) addCredentials(tx store.Tx, name string, c Credentials) (store.Doc, error) {
	sealed, err := i.seal(c.ClientSecret, sealedCredentials(c.ClientID))
	if err != nil {
		return nil, err
	}
	now := clock.Stamp(i.clock.Now())
	doc := store.Doc{"id": c.ClientID, "name": name, "secret": sealed, "enabled": true, "createdAt": now, "updatedAt": now}
	return doc, tx.Put(KindCredentials, doc, i.org, c.ClientID)
}

func (i *Identity) credentials(tx store.Tx, clientID string) (Credentials, error) {
	doc, err := tx.Get(KindCredentials, i.org, clientID)
	if err != nil {
		return Credentials{}, err
	}
	secret, err := i.open(jsonv.String(doc, "secret"), sealedCredentials(clientID))
	return Credentials{clientID, secret}, err
}

// appFields are the keys of an app (reference/identity.md §1.6).
var appFields = []string{"id", "name", "enabled", "createdAt", "updatedAt", "secret"}

// app is a set of credentials as callers see it. Without fields it has them all.
func (i *Identity) app(doc store.Doc, fields ...string) (jsonv.Object, error) {
	if len(fields) == 0 {
		fields = appFields
	}
	out := jsonv.Object{}
	for _, field := range fields {
		out[field] = doc[field]
	}
	if _, wanted := out["secret"]; !wanted {
		return out, nil
	}
	secret, err := i.open(jsonv.String(doc, "secret"), sealedCredentials(jsonv.String(doc, "id")))
	out["secret"] = secret
	return out, err
}

// ListApps answers GET /v1/apps, oldest first; fields are the keys wanted, none
// means all.
func (i *Identity) ListApps(tx store.Tx, who Principal, fields []string) ([]any, error) {
	if err := knownFields(fields, appFields); err != nil {
		return nil, err
	}
	apps := []any{}
	for row, err := range tx.Scan(KindCredentials, nil, store.Page{}, who.Org) {
		if err != nil {
			return nil, err
		}
		if !isApp(row.Doc) {
			continue
		}
		app, err := i.app(row.Doc, fields...)
		if err != nil {
			return nil, err
		}
		apps = append(apps, app)
	}
	return apps, nil
}

// CreateApp answers POST /v1/apps. Names need not be unique.
func (i *Identity) CreateApp(tx store.Tx, who Principal, body any) (jsonv.Object, error) {
	name, err := appBody(body)
	if err != nil {
		return nil, err
	}
	doc, err := i.addCredentials(tx, name, i.newCredentials())
	if err != nil {
		return nil, err
	}
	if err := i.note(tx, who, noted{"CREATE", "app", jsonv.String(doc, "id")}, nil, doc); err != nil {
		return nil, err
	}
	return i.app(doc)
}

// RenameApp answers PUT /v1/apps/{id}; secret and token stay as they are.
func (i *Identity) RenameApp(tx store.Tx, who Principal, id string, body any) (jsonv.Object, error) {
	name, err := appBody(body)
	if err != nil {
		return nil, err
	}
	return i.changeApp(tx, who, id, func(doc store.Doc) error {
		doc["name"] = name
		return nil
	})
}

// RotateApp answers POST /v1/apps/{id}/rotate-secret: the old secret and the token
// that was got with it end at once.
func (i *Identity) RotateApp(tx store.Tx, who Principal, id string) (jsonv.Object, error) {
	return i.changeApp(tx, who, id, func(doc store.Doc) (err error) {
		delete(doc, "token")
		doc["secret"], err = i.seal(i.ids.Alphanumeric(clientSecretLength), sealedCredentials(id))
		return err
	})
}

func (i *Identity) changeApp(tx store.Tx, who Principal, id string, change func(store.Doc) error) (jsonv.Object, error) {
	old, err := foundApp(tx, who.Org, id)
	if err != nil {
		return nil, err
	}
	doc := jsonv.CloneObject(old)
	if err := change(doc); err != nil {
		return nil, err
	}
	doc["updatedAt"] = clock.Stamp(i.clock.Now())
	if err := tx.Put(KindCredentials, doc, who.Org, id); err != nil {
		return nil, err
	}
	if err := i.note(tx, who, noted{"UPDATE", "app", id}, old, doc); err != nil {
		return nil, err
	}
	return i.app(doc)
}

// DeleteApp answers DELETE /v1/apps/{id}. Callers may delete the set that signed
// their own token, which ends with it.
func (i *Identity) DeleteApp(tx store.Tx, who Principal, id string) error {
	old, err := foundApp(tx, who.Org, id)
	if err != nil {
		return err
	}
	if err := tx.Delete(KindCredentials, who.Org, id); err != nil {
		return err
	}
	return i.note(tx, who, noted{"DELETE", "app", id}, old, nil)
}

// isApp tells the credentials of the organization from those of a user, which are
// not listed and which no route of apps knows.
func isApp(doc store.Doc) bool { return jsonv.String(doc, "owner") == "" }

func foundApp(tx store.Tx, org, id string) (store.Doc, error) {
	doc, err := found(tx, KindCredentials, "App", org, id)
	if err == nil && !isApp(doc) {
		return nil, fault.NotFound("App", id)
	}
	return doc, err
}

func appBody(body any) (name string, err error) {
	b, err := shape.Body(body, shape.Takes{"name": shape.Text}, "name")
	return jsonv.String(b, "name"), err
}

// refused is the one answer to everything that is wrong with credentials.
func refused() error {
	return fault.New(http.StatusUnauthorized, "invalid_credentials", "The client id or the client secret is not valid")
}
