package identity

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Indexes are what identity needs a store to index: users and teams by the ids that
// an identity provider knows them by.
func Indexes() store.Indexes {
	ids := func(doc store.Doc) (entries []store.Entry) {
		for _, path := range []string{"id", "externalId"} {
			if value := jsonv.String(doc, path); value != "" && len(value) <= maxIndexed {
				entries = append(entries, store.Entry{Path: path, Value: value})
			}
		}
		return entries
	}
	return store.Indexes{KindAccount: ids, KindTeam: ids}
}

// maxIndexed is the length of the longest text that is indexed.
const maxIndexed = 200

// having selects documents by one of their keys.
type having struct{ path, value string }

func whereIndexed(path, value string) store.Where { return having{path, value} }

func (w having) Match(doc store.Doc) bool { return jsonv.String(doc, w.path) == w.value }

func (w having) Equals() []store.Equal {
	if len(w.value) > maxIndexed {
		return nil
	}
	return []store.Equal{{Path: w.path, Values: []string{w.value}}}
}
