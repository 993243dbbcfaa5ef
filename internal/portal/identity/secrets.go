package identity

import (
	"errors"
	"regexp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindSecret are the organization's secrets: {"secretName", "description",
// "value" sealed, "createdAt", "updatedAt", "createdBy", "updatedBy"}.
const KindSecret store.Kind = "secret"

// secretMeta are the keys that callers see; the value is written only
// (reference/portal.md §5.2).
var secretMeta = []string{"secretName", "description", "createdAt", "updatedAt", "createdBy", "updatedBy"}

// The limits of reference/portal.md §5.2.
const (
	maxSecretName        = 100
	maxSecretDescription = 200
)

var secretName = regexp.MustCompile(`^[A-Za-z0-9-_]*$`)

// ListSecrets answers GET /v1/organization/secrets, oldest first.
func (i *Identity) ListSecrets(tx store.Tx, who Principal) ([]any, error) {
	secrets := []any{}
	for row, err := range tx.Scan(KindSecret, nil, store.Page{}, who.Org) {
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, meta(row.Doc))
	}
	return secrets, nil
}

// ReadSecret answers GET /v1/organization/secrets/{name}.
func (i *Identity) ReadSecret(tx store.Tx, who Principal, name string) (jsonv.Object, error) {
	doc, err := found(tx, KindSecret, "Secret", who.Org, name)
	return meta(doc), err
}

// SecretValue is what templates of invocations put in a secret's place
// (reference/identity.md §8.4); false for a name that no secret has.
func (i *Identity) SecretValue(tx store.Tx, org, name string) (string, bool, error) {
	doc, err := tx.Get(KindSecret, org, name)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	value, err := i.open(jsonv.String(doc, "value"), sealedSecret(name))
	return value, err == nil, err
}

// CreateSecret answers POST /v1/organization/secrets.
func (i *Identity) CreateSecret(tx store.Tx, who Principal, body any) (jsonv.Object, error) {
	b, err := secretBody(body, true)
	if err != nil {
		return nil, err
	}
	name := jsonv.String(b, "secretName")
	if _, err := tx.Get(KindSecret, who.Org, name); !errors.Is(err, store.ErrNotFound) {
		if err == nil {
			err = fault.Taken("Secret", name)
		}
		return nil, err
	}
	now := clock.Stamp(i.clock.Now())
	doc := store.Doc{"secretName": name, "createdAt": now, "updatedAt": now, "createdBy": who.ID, "updatedBy": who.ID}
	if err := i.fillSecret(doc, name, b); err != nil {
		return nil, err
	}
	return meta(doc), i.putSecret(tx, who, "CREATE", name, nil, doc)
}

// PatchSecret answers PATCH /v1/organization/secrets/{name}; keys that are absent
// stay as they are.
func (i *Identity) PatchSecret(tx store.Tx, who Principal, name string, body any) (jsonv.Object, error) {
	b, err := secretBody(body, false)
	if err != nil {
		return nil, err
	}
	old, err := found(tx, KindSecret, "Secret", who.Org, name)
	if err != nil || len(b) == 0 {
		return meta(old), err
	}
	doc := jsonv.CloneObject(old)
	if err := i.fillSecret(doc, name, b); err != nil {
		return nil, err
	}
	doc["updatedAt"], doc["updatedBy"] = clock.Stamp(i.clock.Now()), who.ID
	return meta(doc), i.putSecret(tx, who, "UPDATE", name, old, doc)
}

// DeleteSecret answers DELETE /v1/organization/secrets/{name}. A secret in use may
// go: its name resolves to null then.
func (i *Identity) DeleteSecret(tx store.Tx, who Principal, name string) error {
	old, err := found(tx, KindSecret, "Secret", who.Org, name)
	if err != nil {
		return err
	}
	if err := tx.Delete(KindSecret, who.Org, name); err != nil {
		return err
	}
	return i.note(tx, who, noted{"DELETE", "secret", name}, old, nil)
}

func (i *Identity) putSecret(tx store.Tx, who Principal, action, name string, old, doc store.Doc) error {
	if err := tx.Put(KindSecret, doc, who.Org, name); err != nil {
		return err
	}
	return i.note(tx, who, noted{action, "secret", name}, old, doc)
}

// fillSecret takes over what a body says. An empty description is none.
func (i *Identity) fillSecret(doc store.Doc, name string, body jsonv.Object) (err error) {
	if description, ok := body["description"]; ok {
		doc["description"] = description
		if description == "" {
			delete(doc, "description")
		}
	}
	if value, ok := body["secretValue"].(string); ok {
		doc["value"], err = i.seal(value, sealedSecret(name))
	}
	return err
}

func meta(doc store.Doc) jsonv.Object {
	out := jsonv.Object{}
	for _, key := range secretMeta {
		if v, ok := doc[key]; ok {
			out[key] = v
		}
	}
	return out
}

func secretBody(body any, create bool) (jsonv.Object, error) {
	takes := shape.Takes{"secretValue": shape.Text, "description": shape.Length(0, maxSecretDescription)}
	if !create {
		return shape.Body(body, takes)
	}
	takes["secretName"] = func(c *shape.Checker, v any, at []string) {
		shape.Length(1, maxSecretName)(c, v, at)
		if s, ok := v.(string); ok && !secretName.MatchString(s) {
			c.Add("pattern", at, "must match pattern %q", secretName)
		}
	}
	return shape.Body(body, takes, "secretName", "secretValue")
}
