package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// entitiesPage is the most that one answer holds (reference/catalog.md §5.2).
const entitiesPage = 1000

// operators are those of the search grammar, reference/catalog.md §5.3.
var operators = []string{
	"=", "!=", ">", ">=", "<", "<=", "contains", "doesNotContains", "containsAny", "beginsWith", "doesNotBeginsWith", "endsWith", "doesNotEndsWith",
	"in", "notIn", "between", "notBetween", "isEmpty", "isNotEmpty", "isExpired", "isNotExpired", "relatedTo",
}

// entitiesQuery is the data source port_entities: the entities of one blueprint,
// however many, filtered by the server.
func entitiesQuery() *Query {
	return &Query{
		Name: "entities",
		Doc: "Entities of one blueprint, all of them or those that match. Port does the filtering, and all pages are read. " +
			"Mirror, calculation and aggregation properties are shown as well, unless they are left out.",
		Args: []lens.Part{
			lens.Field("blueprint", lens.String, lens.Req, "Identifier of the blueprint.").Check(notEmpty()),
			lens.Field("rules", lens.List(searchRule()), lens.Opt, "Rules that an entity must match; left out, every entity does."),
			lens.Field("combinator", lens.Enum("and", "or"), lens.Opt, "Whether all `rules` must match (`and`) or one is enough (`or`). Default: `and`."),
			lens.Field("query", lens.JSONObject, lens.Opt, "Search query with `combinator` and `rules`, for what `rules` cannot say.").Check(queryCheck()),
			lens.AtMostOne("rules", "query"),
			lens.Needs("combinator", "rules"),
			lens.Field("include", lens.List(lens.String), lens.Opt, "Keys of properties and relations to read and no others; meta properties begin with a dollar sign, such as `$title`."),
			lens.Field("exclude", lens.List(lens.String), lens.Opt, "Keys of properties and relations to leave out."),
			lens.Field("exclude_calculated_properties", lens.Bool, lens.Opt, "Whether mirror, calculation and aggregation properties are left out."),
			lens.Field("limit", lens.Int, lens.Opt, "Greatest number of entities to read, the oldest first.").Check(lens.AtLeast(1)),
		},
		Results: []lens.Part{
			lens.ReadOnly("identifiers", lens.List(lens.String), "Identifiers of the entities, in the same order."),
		},
		List: "entities", ListDoc: "Entities that match, the oldest first.",
		Element: []lens.Part{
			lens.ID("ID of the entity: its blueprint and identifier, joined by a colon.", "blueprint", "identifier"),
			lens.ReadOnly("identifier", lens.String, "Identifier, unique in the blueprint."),
			lens.ReadOnly("blueprint", lens.String, "Identifier of the blueprint."),
			scorecards(),
			entityContent(),
			lens.Audit(),
		},
		Run: runEntities,
	}
}

// searchRule is one condition on a property, a relation or the graph.
func searchRule() lens.Kind {
	return lens.Object(
		lens.Field("property", lens.String, lens.Opt, "Key of the property or meta property to look at, such as `$title`, `$team` or `$createdAt`."),
		lens.Field("relation", lens.String, lens.Opt, "Key of the relation to look at."),
		lens.Field("blueprint", lens.String, lens.Opt, "Identifier of the blueprint of the entity in `value`, with operator `relatedTo`."),
		lens.ExactlyOne("property", "relation", "blueprint"),
		lens.Field("operator", lens.Enum(operators...), lens.Req, "How to compare."),
		lens.Alternates("value",
			lens.Alt{Name: "value", Kind: lens.String, Doc: "What to compare with. It is sent as the type that the blueprint declares for the property: a number, true or false, or text."},
			lens.Alt{Name: "values", Kind: lens.List(lens.String), Accepts: func(j any) bool { _, ok := j.([]any); return ok }, Doc: "Several of them, for operators such as `in` and `containsAny`, sent as `value` is.", Checks: []lens.Check{lens.Size(1, -1)}},
			lens.Alt{Name: "period", Accepts: func(j any) bool { _, ok := j.(jsonv.Object); return ok }, Kind: lens.Object(
				lens.Field("from", lens.String, lens.Opt, "Beginning, as RFC 3339."),
				lens.Field("to", lens.String, lens.Opt, "End, as RFC 3339."),
				lens.Field("preset", lens.String, lens.Opt, "Period that moves with the calendar, such as `today` or `lastWeek`, instead of the other two."),
				lens.ExactlyOne("from", "preset"),
				lens.Needs("from", "to"),
				lens.Needs("to", "from"),
			), Doc: "Period of time, for operators `between`, `notBetween` and `=`."},
		),
		lens.Field("direction", lens.Enum("upstream", "downstream"), lens.Opt, "Which way relations are followed, with operator `relatedTo`; left out, both."),
	)
}

func runEntities(ctx context.Context, q *question) (*findings, error) {
	blueprint := lens.AsText(q.args["blueprint"])
	definition, err := q.api.ReadBlueprint(ctx, blueprint)
	if err != nil {
		return nil, err
	}
	types := valueTypes(definition)
	ask := entitiesBody(q.body, types)
	most := -1
	if n, ok := q.body["limit"].(json.Number); ok {
		limit, err := n.Int64()
		if err != nil {
			return nil, fmt.Errorf("limit: %w", err)
		}
		most = int(limit)
	}
	query := url.Values{}
	if jsonv.Bool(q.body, "excludeCalculatedProperties") {
		query.Set("exclude_calculated_properties", "true")
	}
	found := &findings{options: entityOptions(types)}
	if found.elements, err = q.searchEntities(ctx, blueprint, query, ask, most); err != nil {
		return nil, err
	}
	for _, entity := range found.elements {
		entity["blueprint"] = blueprint
		if jsonv.Bool(q.body, "excludeCalculatedProperties") {
			withoutComputed(entity, definition)
		}
	}
	identifiers := make([]any, len(found.elements))
	for i, e := range found.elements {
		identifiers[i] = e["identifier"]
	}
	found.document = jsonv.Object{"identifiers": identifiers}
	return found, nil
}

// searchEntities reads the pages of a search in one blueprint, up to most entities;
// a negative number stands for all.
func (s *session) searchEntities(ctx context.Context, blueprint string, query url.Values, ask jsonv.Object, most int) ([]jsonv.Object, error) {
	var found []jsonv.Object
	for most < 0 || len(found) < most {
		page := entitiesPage
		if most >= 0 {
			page = min(page, most-len(found))
		}
		ask["limit"] = jsonv.Int(page)
		answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities", "search"}, Query: query, Body: ask})
		if err != nil {
			return nil, err
		}
		for _, e := range jsonv.List(answer, "entities") {
			entity, ok := e.(jsonv.Object)
			if !ok {
				return nil, fmt.Errorf("want a list of entities, got %s in it", jsonv.KindOf(e))
			}
			found = append(found, entity)
		}
		next := jsonv.String(answer, "next")
		if next == "" || next == ask["from"] {
			break
		}
		ask["from"] = next
	}
	return found, nil
}

// entitiesBody is the search that the arguments ask for.
func entitiesBody(args, types jsonv.Object) jsonv.Object {
	body := jsonv.Object{}
	if query, ok := args["query"]; ok {
		body["query"] = query
	}
	if rules := jsonv.List(args, "rules"); len(rules) > 0 {
		combinator := jsonv.String(args, "combinator")
		if combinator == "" {
			combinator = "and"
		}
		typed := make([]any, len(rules))
		for i, r := range rules {
			typed[i] = typedRule(r, types)
		}
		body["query"] = jsonv.Object{"combinator": combinator, "rules": typed}
	}
	for _, name := range []string{"include", "exclude"} {
		if keys := jsonv.List(args, name); len(keys) > 0 {
			body[name] = keys
		}
	}
	// The result cannot do without the identifiers.
	if keys := jsonv.List(body, "include"); len(keys) > 0 && !slices.Contains(keys, any("$identifier")) {
		body["include"] = append(slices.Clone(keys), "$identifier")
	}
	if keys := jsonv.List(body, "exclude"); slices.Contains(keys, any("$identifier")) {
		body["exclude"] = slices.DeleteFunc(slices.Clone(keys), func(k any) bool { return k == "$identifier" })
	}
	return body
}

// typedRule gives the values of a rule the type that the blueprint declares: in a
// list of rules Terraform can only write text, and a number never equals text
// (reference/catalog.md §5.4).
func typedRule(rule any, types jsonv.Object) any {
	r, ok := rule.(jsonv.Object)
	if !ok {
		return rule
	}
	declared := jsonv.Map(types, jsonv.String(r, "property"))
	typ := jsonv.String(declared, "type")
	if typ == "array" {
		typ = jsonv.String(declared, "items", "type")
	}
	if typ != "number" && typ != "boolean" {
		return rule
	}
	switch value := r["value"].(type) {
	case string:
		out := jsonv.CloneObject(r)
		out["value"] = typedValue(value, typ)
		return out
	case []any:
		if among, ok := oneOf[jsonv.String(r, "operator")]; ok {
			return among.group(r["property"], value, typ)
		}
	}
	return rule
}

// oneOf says how a rule about several values is put as rules about one each: the
// search of a blueprint takes lists of text alone (reference/catalog.md §5.3).
var oneOf = map[string]among{
	"in": {"or", "="}, "containsAny": {"or", "="}, "notIn": {"and", "!="},
}

type among struct{ combinator, operator string }

func (a among) group(property any, values []any, typ string) jsonv.Object {
	rules := make([]any, len(values))
	for i, v := range values {
		if s, ok := v.(string); ok {
			v = typedValue(s, typ)
		}
		rules[i] = jsonv.Object{"property": property, "operator": a.operator, "value": v}
	}
	return jsonv.Object{"combinator": a.combinator, "rules": rules}
}

// typedValue is text as a number or a boolean, or as it is where it spells none.
func typedValue(s, typ string) any {
	switch {
	case typ == "boolean" && (s == "true" || s == "false"):
		return s == "true"
	case typ == "number":
		if v, err := jsonv.Decode([]byte(s)); err == nil {
			if n, ok := v.(json.Number); ok {
				return n
			}
		}
	}
	return s
}

// withoutComputed takes out what the blueprint computes, in case the server sent
// it all the same: the published schema of the search does not know the parameter.
func withoutComputed(entity, blueprint jsonv.Object) {
	properties := jsonv.Map(entity, "properties")
	for _, name := range []string{"mirrorProperties", "calculationProperties", aggregationsKey} {
		for key := range jsonv.Map(blueprint, name) {
			delete(properties, key)
		}
	}
}

// entityOptions decodes the entities of one blueprint by the types of its values.
func entityOptions(types jsonv.Object) func(jsonv.Object) lens.Options {
	typed := hintOf(types)
	return func(entity jsonv.Object) lens.Options {
		own, related := jsonv.Map(entity, "properties"), jsonv.Map(entity, "relations")
		return lens.Options{Hint: func(key string) (typ, items string) {
			if _, theirs := related[key]; theirs {
				if _, mine := own[key]; !mine {
					return "", "" // a relation: one name space of its own
				}
			}
			return typed(key)
		}}
	}
}
