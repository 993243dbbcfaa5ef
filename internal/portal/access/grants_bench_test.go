package access_test

import (
	"errors"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// What the rights of a caller add to a write: a PATCH of one property by somebody
// who is not asked, and by members whom the document lets in, each by another step.
func BenchmarkWriteUnderPermissions(b *testing.B) {
	w := newWorld(b)
	w.entity("_team", `{"identifier": "core"}`)
	w.blueprint(`{"identifier": "svc", "title": "S", "schema": {"properties": {"lang": {"type": "string"}, "tier": {"type": "number"}}, "required": []}, "ownership": {"type": "Direct"}}`)
	w.entity("svc", `{"identifier": "e", "team": "core", "properties": {"lang": "go", "tier": 1}}`)
	member := w.user("m@x.io", access.RoleMember, `"core"`)
	for _, c := range []struct{ name, document string }{
		{"nobody asked", ""},
		{"role", `{"update": {"roles": ["Member"]}}`},
		{"field", `{"updateProperties": {"lang": {"users": ["m@x.io"]}}}`},
		{"ownedByTeam", `{"update": {"ownedByTeam": true}}`},
		{"policy", `{"update": {"policy": {"combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": 1}, {"property": {"context": "userTeams", "property": "$identifier"}, "operator": "containsAny", "value": ["core"]}]}}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			actor := w.actor()
			if c.document != "" {
				w.update(func(tx store.Tx) error {
					if err := tx.Delete(access.KindBlueprintPermissions, org, "svc"); err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
					_, err := w.access.PatchBlueprint(tx, w.actor(), "svc", jsonv.Object{"entities": decode(b, c.document)})
					return err
				})
				actor = catalog.Actor{Org: org, ID: member.ID, User: member.Email, Rights: w.access.Rights(org, member)}
			}
			bodies := []any{decode(b, `{"properties": {"lang": "go"}}`), decode(b, `{"properties": {"lang": "c"}}`)}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				w.update(func(tx store.Tx) error {
					_, err := w.catalog.PatchEntity(b.Context(), tx, actor, "svc", "e", bodies[i%2], catalog.WriteOptions{})
					return err
				})
			}
		})
	}
}
