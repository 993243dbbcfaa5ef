package identity

import (
	"maps"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
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
	var p fault.Problems
	takes := map[string]check{
		"name":         func(path string, v any) { text(&p, path, v, 1, 0) },
		"settings":     func(path string, v any) { settings(&p, path, v, patch) },
		"announcement": func(path string, v any) { announcement(&p, path, v, patch) },
	}
	if !patch {
		return closed(&p, body, takes, "name"), p.Invalid()
	}
	takes["isOnboarded"] = func(path string, v any) { boolean(&p, path, v) }
	takes["toolSelectionProvisioning"] = func(path string, v any) { toolSelection(&p, path, v) }
	return closed(&p, body, takes), p.Invalid()
}

func toolSelection(p *fault.Problems, path string, v any) {
	t, ok := v.(jsonv.Object)
	if !ok {
		p.Add(path, "must be object, got %s", jsonv.KindOf(v))
		return
	}
	oneOf(p, path+"/status", t["status"], "IN_PROGRESS", "DONE")
	for key := range t {
		if key != "status" {
			p.Add(path, "%s", fault.UnknownKey(key))
		}
	}
}

func settings(p *fault.Problems, path string, v any, patch bool) {
	s, ok := v.(jsonv.Object)
	if !ok {
		p.Add(path, "must be object, got %s", jsonv.KindOf(v))
		return
	}
	rules := map[string]func(path string, v any){
		"federatedLogout":       func(path string, v any) { boolean(p, path, v) },
		"portalIcon":            func(path string, v any) { text(p, path, v, 0, 0) },
		"portalTitle":           func(path string, v any) { text(p, path, v, 0, 30) },
		"supportUserPermission": func(path string, v any) { oneOf(p, path, v, "OPT_IN", "OPT_OUT") },
		"supportUserTTL":        func(path string, v any) { oneOf(p, path, v, "ONE_DAY", "ONE_WEEK", "ONE_MONTH", "FOREVER") },
		"portAgentStreamerName": func(path string, v any) { text(p, path, v, 0, 0) },
		"supportUserExpiresAt": func(path string, v any) {
			if _, err := time.Parse(time.RFC3339, jsonv.String(v)); err != nil {
				p.Add(path, "must be a date-time")
			}
		},
		"hiddenBlueprints": func(path string, v any) {
			if l, ok := v.([]any); !ok || len(jsonv.Strings(v)) != len(l) {
				p.Add(path, "must be an array of strings")
			}
		},
	}
	for key, value := range s {
		if !patch && slices.Contains(patchOnly, key) {
			p.Add(path, "%s", fault.UnknownKey(key))
		} else if rule, ok := rules[key]; ok {
			rule(path+"/"+key, value)
		}
	}
}

func announcement(p *fault.Problems, path string, v any, patch bool) {
	a, ok := v.(jsonv.Object)
	if !ok {
		p.Add(path, "must be object, got %s", jsonv.KindOf(v))
		return
	}
	if _, ok := a["content"]; !ok && !patch {
		p.Add(path, "must have required property 'content'")
	}
	for key, value := range a {
		at := path + "/" + key
		switch key {
		case "content":
			text(p, at, value, 1, 300)
		case "enabled":
			boolean(p, at, value)
		case "color":
			oneOf(p, at, value, "blue", "red")
		case "link":
			if value != nil {
				text(p, at, value, 0, 300)
			}
		}
	}
}
