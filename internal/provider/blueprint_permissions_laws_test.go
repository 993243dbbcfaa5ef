package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// A block of permissions as Port answers it, and permissions made of it.
const (
	wireBlock       = `{"users": ["a@b.c"], "roles": ["Admin", "svc-moderator"], "teams": ["core"], "ownedByTeam": true}`
	wireScope       = `{"users": [], "roles": ["Admin"], "teams": [], "ownedByTeam": false, "policy": {"combinator": "and", "rules": [{"property": "$team", "operator": "containsAny", "value": {"context": "userTeams", "property": "$identifier"}}]}}`
	wireMetadata    = `"$icon": ` + wireBlock + `, "$title": ` + wireBlock + `, "$team": ` + wireBlock + `, "$identifier": ` + wireBlock
	wirePermissions = `{"read": ` + wireScope + `, "register": ` + wireScope + `, "unregister": ` + wireScope + `, "update": ` + wireScope + `,
	  "updateProperties": {` + wireMetadata + `, "lang": ` + wireBlock + `}, "updateRelations": {"home": ` + wireBlock + `}}`
	barePermissions = `{"register": ` + wireBlock + `, "unregister": ` + wireBlock + `, "update": ` + wireBlock + `, "updateProperties": {` + wireMetadata + `}, "updateRelations": {}}`
)

func decoded(t *testing.T, text string) jsonv.Object {
	t.Helper()
	body, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func permissionsDocument(t *testing.T, text string) string {
	t.Helper()
	return string(jsonv.Encode(documentOf("svc", decoded(t, text))))
}

// What the codec's document says is what Port holds, but for keys that say nothing.
func TestPermissionsSurviveTheCodecsDocument(t *testing.T) {
	t.Parallel()
	for _, text := range []string{wirePermissions, barePermissions} {
		want := decoded(t, text)
		if len(jsonv.Map(want, relationsBlock)) == 0 {
			delete(want, relationsBlock)
		}
		if diff := cmp.Diff(want, permissionsOf(documentOf("svc", decoded(t, text)))); diff != "" {
			t.Error(diff)
		}
	}
}

// A blueprint without any field blocks leaves the metadata unread.
func TestPermissionsWithoutFieldBlocksHaveNoMetadata(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "blueprint_permissions")
	v, err := k.codec.Get(documentOf("svc", decoded(t, `{"register": `+wireBlock+`, "unregister": `+wireBlock+`, "update": `+wireBlock+`}`)), k.null)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := k.codec.Put(v, k.null); err != nil || jsonv.Map(body, "entities")[metadataBlock] != nil {
		t.Errorf("%v: %s", err, jsonv.Encode(body))
	}
}
