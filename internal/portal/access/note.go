package access

import (
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindChange are records of changes to permission documents. The audit log does not
// list them, since it has no such resource, but whoever holds the data can look them
// up (reference/identity.md §8.7).
const KindChange store.Kind = "permission-change"

// changeRetention is as long as that of the audit log.
const changeRetention = 365 * 24 * time.Hour

// note records a change of a document together with it.
func (a *Access) note(tx store.Tx, actor catalog.Actor, kind store.Kind, id string, before, after jsonv.Object) error {
	now := a.deps.Clock.Now()
	doc := store.Doc{
		"action": "UPDATE", "resourceType": string(kind), "identifier": id, "by": actor.ID,
		"createdAt": clock.Stamp(now), "before": before, "after": after,
	}
	if actor.Origin != "" {
		doc["origin"] = actor.Origin
	}
	if err := tx.Put(KindChange, doc, actor.Org, a.deps.IDs.Alphanumeric(16)); err != nil {
		return err
	}
	return outdated(tx, actor.Org, clock.Stamp(now.Add(-changeRetention)))
}

// outdated deletes some of the records that were made before a moment: as many at a
// time as more than make up for the one just made.
func outdated(tx store.Tx, org, before string) error {
	var old []store.Row
	for row, err := range tx.Scan(KindChange, nil, store.Page{Limit: 2}, org) {
		if err != nil {
			return err
		}
		if jsonv.String(row.Doc, "createdAt") < before {
			old = append(old, row)
		}
	}
	for _, row := range old {
		if err := tx.Delete(KindChange, row.Key...); err != nil {
			return err
		}
	}
	return nil
}
