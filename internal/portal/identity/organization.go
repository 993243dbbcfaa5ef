package identity

import (
	"maps"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// ownershipFlag announces that users and teams are blueprints
// (reference/identity.md §0.2).
const ownershipFlag = "USERS_AND_TEAMS_OWNERSHIP_V2"

// ReadOrganization answers GET /v1/organization (reference/identity.md §8.3).
func (i *Identity) ReadOrganization(tx store.Tx, who Principal) (jsonv.Object, error) {
	doc, err := tx.Get(KindOrganization, who.Org)
	if err != nil {
		return nil, err
	}
	out := jsonv.Object{}
	for _, key := range []string{"id", "name", "featureFlags", "settings", "announcement", "isOnboarded"} {
		if v, ok := doc[key]; ok {
			out[key] = v
		}
	}
	return out, nil
}

// searchDefault is the setting by which blueprints that do not say so take part in
// the global search (reference/catalog.md §2.11); they do until it is false.
const searchDefault = "include_blueprints_in_global_search_by_default"

// SearchesByDefault tells whether blueprints take part in the global search when
// they do not say so themselves.
func (i *Identity) SearchesByDefault(tx store.Tx, who Principal) (bool, error) {
	doc, err := tx.Get(KindOrganization, who.Org)
	if err != nil {
		return false, err
	}
	chosen, ok := jsonv.Get(doc, "settings", searchDefault)
	return !ok || chosen != false, nil
}

// Streamer is how the relay says it wants its runs (reference/actions.md §3.9 C8), ""
// while none has said it.
func (i *Identity) Streamer(tx store.Tx) (string, error) {
	doc, err := tx.Get(KindOrganization, i.Org())
	return jsonv.String(doc, "settings", "portAgentStreamerName"), err
}

// patchOnly are the settings that PUT neither takes nor touches.
var patchOnly = []string{"supportUserPermission", "supportUserTTL", "supportUserExpiresAt", "portAgentStreamerName"}

// PutOrganization replaces name, settings and announcement; settings that only
// PATCH takes are kept.
func (i *Identity) PutOrganization(tx store.Tx, who Principal, body any) error {
	b, err := organizationBody(body, false)
	if err != nil {
		return err
	}
	return i.writeOrganization(tx, who, func(doc store.Doc) {
		settings := jsonv.Object{}
		for _, key := range patchOnly {
			if v, ok := jsonv.Map(doc, "settings")[key]; ok {
				settings[key] = v
			}
		}
		maps.Copy(settings, jsonv.Map(b, "settings"))
		delete(doc, "announcement")
		maps.Copy(doc, b)
		doc["settings"] = settings
		if len(settings) == 0 {
			delete(doc, "settings")
		}
	})
}

// PatchOrganization changes what the body names, key by key at every depth; a
// null is a value like any other. Clients send it without a name although the
// published schema wants one.
func (i *Identity) PatchOrganization(tx store.Tx, who Principal, body any) error {
	b, err := organizationBody(body, true)
	if err != nil || len(b) == 0 {
		return err
	}
	return i.writeOrganization(tx, who, func(doc store.Doc) {
		maps.Copy(doc, deepened(doc, b))
	})
}

// deepened is old with what change names, inside objects too.
func deepened(old, change jsonv.Object) jsonv.Object {
	out := maps.Clone(old)
	if out == nil {
		out = jsonv.Object{}
	}
	for key, value := range change {
		if inner, ok := value.(jsonv.Object); ok {
			value = deepened(jsonv.Map(old, key), inner)
		}
		out[key] = value
	}
	return out
}

func (i *Identity) writeOrganization(tx store.Tx, who Principal, change func(store.Doc)) error {
	old, err := tx.Get(KindOrganization, who.Org)
	if err != nil {
		return err
	}
	doc := jsonv.CloneObject(old)
	change(doc)
	doc["updatedAt"], doc["updatedBy"] = clock.Stamp(i.clock.Now()), who.ID
	if err := tx.Put(KindOrganization, doc, who.Org); err != nil {
		return err
	}
	return i.note(tx, who, noted{"UPDATE", "organization", who.Org}, old, doc)
}

// organizationBody validates a request body by the table of
// reference/identity.md §8.3.
func organizationBody(body any, patch bool) (jsonv.Object, error) {
	if patch {
		return shape.Body(body, shape.Takes{
			"name": shape.Filled, "settings": shape.Open(settings), "announcement": shape.Open(announcement),
			"isOnboarded": shape.Boolean, "toolSelectionProvisioning": shape.Closed(shape.Takes{"status": shape.OneOf("IN_PROGRESS", "DONE")}, "status"),
		})
	}
	return shape.Body(body, shape.Takes{
		"name": shape.Filled, "settings": settingsOfPut, "announcement": shape.Open(announcement, "content"),
	}, "name")
}

var settings = shape.Takes{
	"federatedLogout": shape.Boolean, "portalIcon": shape.Text, "portalTitle": shape.Length(0, 30),
	"supportUserPermission": shape.OneOf("OPT_IN", "OPT_OUT"), "supportUserTTL": shape.OneOf("ONE_DAY", "ONE_WEEK", "ONE_MONTH", "FOREVER"),
	"portAgentStreamerName": shape.Text, "supportUserExpiresAt": moment, "hiddenBlueprints": shape.Texts,
}

// settingsOfPut takes no settings that only a PATCH sets.
func settingsOfPut(c *shape.Checker, v any, at []string) {
	o := c.Open(v, at, settings)
	for _, key := range patchOnly {
		if _, ok := o[key]; ok {
			c.Add("additionalProperties", shape.Below(at, key), "%s", fault.UnknownKey(key))
		}
	}
}

var announcement = shape.Takes{
	"content": shape.Length(1, 300), "enabled": shape.Boolean, "color": shape.OneOf("blue", "red"), "link": shape.OrNull(shape.Length(0, 300)),
}

func moment(c *shape.Checker, v any, at []string) {
	if _, err := time.Parse(time.RFC3339, jsonv.String(v)); err != nil {
		c.Add("format", at, "must be a date-time")
	}
}
