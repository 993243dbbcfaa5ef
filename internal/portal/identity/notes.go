package identity

import (
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindNote are records of changes to apps, secrets and the organization. The audit
// log does not list them, since it has no such resources, but whoever holds the
// data can look them up (reference/identity.md §8.7).
const KindNote store.Kind = "identity-change"

// noteRetention is as long as that of the audit log.
const noteRetention = 365 * 24 * time.Hour

// noted says what was done to what.
type noted struct{ action, resource, identifier string }

// unnoted are the keys that hold secrets, or what stands for one.
var unnoted = []string{"secret", "value", "salt", "hash", "token"}

// note records a change together with it, and takes outdated records away. A secret
// is told of only in that it changed.
func (i *Identity) note(tx store.Tx, who Principal, what noted, before, after store.Doc) error {
	now := i.clock.Now()
	doc := store.Doc{
		"action": what.action, "resourceType": what.resource, "identifier": what.identifier, "by": who.ID,
		"createdAt": clock.Stamp(now), "before": plain(before), "after": plain(after),
	}
	secrets := []any{}
	for _, key := range unnoted {
		if key != "token" && key != "salt" && before != nil && after != nil && before[key] != after[key] {
			secrets = append(secrets, key)
		}
	}
	if len(secrets) > 0 {
		doc["changedSecrets"] = secrets
	}
	if err := tx.Put(KindNote, doc, who.Org, i.ids.Alphanumeric(16)); err != nil {
		return err
	}
	return i.forget(tx, KindNote, who.Org, clock.Stamp(now.Add(-noteRetention)))
}

// plain is a document without its secrets.
func plain(doc store.Doc) any {
	if doc == nil {
		return nil
	}
	out := jsonv.Object{}
	for key, value := range doc {
		if !slices.Contains(unnoted, key) {
			out[key] = value
		}
	}
	return out
}

// forget deletes some of the documents of a kind that were made before a moment.
func (i *Identity) forget(tx store.Tx, kind store.Kind, org, before string) error {
	var old []store.Row
	for row, err := range tx.Scan(kind, nil, store.Page{Limit: 2}, org) {
		if err != nil {
			return err
		}
		if jsonv.String(row.Doc, "createdAt") < before {
			old = append(old, row)
		}
	}
	for _, row := range old {
		if err := tx.Delete(kind, row.Key...); err != nil {
			return err
		}
	}
	return nil
}
