package catalog

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// entityBody is a request body that has the right shape (reference/catalog.md
// §4.3). A nil field of a kind that may be absent was not sent.
type entityBody struct {
	id      string
	idQuery *query.Query
	// title and icon hold a string, or nil for null, when they were sent.
	title, icon        any
	hasTitle, hasIcon  bool
	hasTeam            bool
	team               []string
	teamQuery          *query.Query
	properties         jsonv.Object
	relations          jsonv.Object
	relationQueries    map[string]*query.Query
	touchesConstraints bool
	// rules are those that come along with a scorecard; nil when none do.
	rules any
}

// audit are the keys that clients send back from what they read, to be ignored.
var audit = []string{"createdAt", "createdBy", "updatedAt", "updatedBy"}

// readEntityBody checks the shape of an entity body that stands at a path.
// A PATCH body is CLOSED, the others are OPEN.
func (r *reader) entityBody(body any, patch bool, at ...string) entityBody {
	var out entityBody
	in, ok := body.(jsonv.Object)
	if !ok {
		r.add(at, "want an object, got %s", jsonv.KindOf(body))
		return out
	}
	if patch {
		for _, key := range sortedKeys(in) {
			if !slices.Contains(audit, key) && !slices.Contains([]string{"identifier", "title", "icon", "team", "properties", "relations", "blueprint"}, key) {
				r.add(below(at, key), "%s", fault.UnknownKey(key))
			}
		}
	}
	r.entityID(in, &out, patch, at)
	out.title, out.hasTitle = r.nullableText(in, "title", at)
	out.icon, out.hasIcon = r.nullableText(in, "icon", at)
	r.entityTeam(in, &out, at)
	out.properties = r.object(in["properties"], below(at, "properties")...)
	for _, key := range sortedKeys(out.properties) {
		r.name(key, propschema.Key, below(at, "properties", key)...)
	}
	r.entityRelations(in, &out, at)
	_, properties := in["properties"]
	_, relations := in["relations"]
	out.touchesConstraints = properties || relations
	out.rules = in["rules"]
	return out
}

func (r *reader) entityID(in jsonv.Object, out *entityBody, patch bool, at []string) {
	at = below(at, "identifier")
	switch id := in["identifier"].(type) {
	case nil:
	case string:
		if id == "" && !patch {
			return
		}
		r.name(id, propschema.EntityID, at...)
		out.id = id
	case jsonv.Object:
		if patch {
			r.add(at, "want a string, got object")
			return
		}
		out.idQuery = r.selector(id, query.IdentifierSelector, at)
	default:
		r.add(at, "want a string or a query, got %s", jsonv.KindOf(id))
	}
}

func (r *reader) nullableText(in jsonv.Object, key string, at []string) (any, bool) {
	v, ok := in[key]
	if !ok {
		return nil, false
	}
	if _, isText := v.(string); !isText && v != nil {
		r.add(below(at, key), "want a string, got %s", jsonv.KindOf(v))
		return nil, false
	}
	return v, true
}

// entityTeam reads a string, an array of strings, null or a query.
func (r *reader) entityTeam(in jsonv.Object, out *entityBody, at []string) {
	at = below(at, "team")
	v, ok := in["team"]
	if !ok {
		return
	}
	out.hasTeam = true
	switch v := v.(type) {
	case nil:
	case string:
		if v != "" {
			out.team = []string{v}
		}
	case []any:
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				r.add(below(at, string(jsonv.Int(i))), "want a string, got %s", jsonv.KindOf(e))
				continue
			}
			if !slices.Contains(out.team, s) {
				out.team = append(out.team, s)
			}
		}
	case jsonv.Object:
		out.teamQuery = r.selector(v, query.Selector, at)
	default:
		r.add(at, "want a string, an array of strings or a query, got %s", jsonv.KindOf(v))
	}
}

func (r *reader) entityRelations(in jsonv.Object, out *entityBody, at []string) {
	at = below(at, "relations")
	given := r.object(in["relations"], at...)
	out.relations = jsonv.Object{}
	for _, key := range sortedKeys(given) {
		where := below(at, key)
		switch v := given[key].(type) {
		case nil:
			out.relations[key] = nil
		case string:
			r.name(v, propschema.EntityID, where...)
			out.relations[key] = v
		case []any:
			for i, e := range v {
				s, ok := e.(string)
				if !ok {
					r.add(below(where, string(jsonv.Int(i))), "want a string, got %s", jsonv.KindOf(e))
					continue
				}
				r.name(s, propschema.EntityID, below(where, string(jsonv.Int(i)))...)
			}
			out.relations[key] = v
		case jsonv.Object:
			if out.relationQueries == nil {
				out.relationQueries = map[string]*query.Query{}
			}
			out.relationQueries[key] = r.selector(v, query.Selector, where)
		default:
			r.add(where, "want a string, an array of strings, null or a query, got %s", jsonv.KindOf(v))
		}
	}
}

// selector reads a value given by search query (§4.7).
func (r *reader) selector(raw jsonv.Object, scope query.Scope, at []string) *query.Query {
	q, err := query.Parse(raw, query.Options{Scope: scope, At: at})
	if err != nil {
		r.adopt(err, at)
		return query.All()
	}
	return q
}
