package identity

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func (i *Identity) admitUser(store.Tx, *catalog.AccountWrite) error { return nil }

// admitUserDeletion refuses to let users delete themselves (reference/identity.md §2.6).
func (i *Identity) admitUserDeletion(actor catalog.Actor, doc store.Doc) error {
	if actor.User != "" && actor.User == jsonv.String(doc, "identifier") {
		return missingPermissions("users cannot delete themselves")
	}
	return nil
}

// userWritten keeps a user's document in step with the entity.
func (i *Identity) userWritten(tx store.Tx, _ catalog.Actor, before, after store.Doc) (jsonv.Object, error) {
	switch {
	case before == nil:
		doc := store.Doc{"id": userID(i.ids.Trace()), "createdAt": after["createdAt"]}
		return nil, tx.Put(KindAccount, doc, i.org, jsonv.String(after, "identifier"))
	case after == nil:
		err := tx.Delete(KindAccount, i.org, jsonv.String(before, "identifier"))
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return nil, err
	}
	return nil, nil
}
