package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// searchQuery is the data source port_search, reference/provider-catalog.md §10:
// the whole catalog, in one answer.
func searchQuery() *Query {
	return &Query{
		Name: "search",
		Doc: "Entities of the whole catalog that match a search query. It is answered at once, without pages: for many entities of one blueprint " +
			"use `port_entities`, which reads them page by page.",
		Args: []lens.Part{
			lens.Field("query", lens.JSONObject, lens.Req, "Search query, with `combinator` and `rules`.").Check(queryCheck()),
			lens.Field("exclude_calculated_properties", lens.Bool, lens.Opt, "Whether mirror, calculation and aggregation properties are left out."),
			lens.Field("include", lens.List(lens.String), lens.Opt, "Parts of the entities to read and no others, such as `title`, `properties.tier` or `relations`."),
			lens.Field("exclude", lens.List(lens.String), lens.Opt, "Parts of the entities to leave out, such as `scorecards` or `properties.readme`."),
			lens.Field("attach_title_to_relation", lens.Bool, lens.Opt, "Whether Port adds titles to related entities. The result has their identifiers either way."),
		},
		Results: []lens.Part{
			lens.ReadOnly("matching_blueprints", lens.List(lens.String), "Identifiers of the blueprints that have entities in the result."),
		},
		List: "entities", ListDoc: "Entities that match.",
		Element: foundEntity(), Loose: true,
		Run: runSearch,
	}
}

// foundEntity is an entity as the search shows it; everything but what the
// official schema computes is optional there as well.
func foundEntity() []lens.Part {
	return []lens.Part{
		lens.ReadOnly("identifier", lens.String, "Identifier, unique in the blueprint."),
		lens.ReadOnly("blueprint", lens.String, "Identifier of the blueprint."),
		lens.Field("run_id", lens.String, lens.Opt, "ID of the action run that the entity belongs to."),
		scorecards(),
		entityContent(),
		lens.Audit(),
	}
}

func scorecards() lens.Part {
	return lens.Field("scorecards", lens.Map(lens.Object(
		lens.Field("level", lens.String, lens.Opt, "Level that the entity has reached."),
		lens.Field("rules", lens.List(lens.Object(
			lens.Field("identifier", lens.String, lens.Opt, "Identifier of the rule."),
			lens.Field("status", lens.String, lens.Opt, "Whether the entity passes, such as `SUCCESS` or `FAILURE`."),
			lens.Field("level", lens.String, lens.Opt, "Level that the rule counts for."),
		).Plain()), lens.Opt, "Rules of the scorecard."),
	).Plain()), lens.Opt, "Results of scorecards, by identifier: the `level` reached, and of each of the `rules` its `identifier`, `status` and `level`.").OmitEmpty()
}

func runSearch(ctx context.Context, q *question) (*findings, error) {
	answer, err := q.api.Call(ctx, portapi.Op{
		Method: http.MethodPost, Path: []string{"entities", "search"}, Query: searchParameters(q), Body: q.body["query"],
	})
	if err != nil {
		return nil, err
	}
	found := &findings{id: searchID(q.args), document: jsonv.Object{"matchingBlueprints": jsonv.List(answer, "matchingBlueprints")}, finish: emptyRelations}
	types := q.typesOf(ctx, jsonv.Strings(jsonv.List(answer, "matchingBlueprints")))
	found.options = func(entity jsonv.Object) lens.Options {
		return lens.Options{Hint: hintOf(types[jsonv.String(entity, "blueprint")])}
	}
	for _, e := range jsonv.List(answer, "entities") {
		entity, ok := e.(jsonv.Object)
		if !ok {
			return nil, fmt.Errorf("want a list of entities, got %s in it", jsonv.KindOf(e))
		}
		found.elements = append(found.elements, bareRelations(entity))
	}
	return found, nil
}

// searchParameters travel beside the query. Booleans are sent as words, lists as
// one parameter joined by commas.
func searchParameters(q *question) url.Values {
	out := url.Values{}
	for name, key := range map[string]string{"exclude_calculated_properties": "excludeCalculatedProperties", "attach_title_to_relation": "attachTitleToRelation"} {
		if v, ok := q.body[key].(bool); ok {
			out.Set(name, strconv.FormatBool(v))
		}
	}
	for _, name := range []string{"include", "exclude"} {
		if paths := jsonv.Strings(jsonv.List(q.body, name)); len(paths) > 0 {
			out.Set(name, strings.Join(paths, ","))
		}
	}
	return out
}

// searchID is the id that states hold: a hash of the arguments as written, in
// the order of reference/provider-catalog.md §10.
func searchID(args lens.Obj) string {
	var b strings.Builder
	b.WriteString(lens.AsText(args["query"]))
	b.WriteString(strconv.FormatBool(lens.AsBool(args["exclude_calculated_properties"])))
	for _, name := range []string{"include", "exclude"} {
		for _, path := range lens.AsList(args[name]) {
			b.WriteString(lens.AsText(path))
		}
	}
	b.WriteString(strconv.FormatBool(lens.AsBool(args["attach_title_to_relation"])))
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// typesOf reads what blueprints declare of their values, at once. One that
// cannot be read only makes lists without elements harder to place.
func (q *question) typesOf(ctx context.Context, blueprints []string) map[string]jsonv.Object {
	out := map[string]jsonv.Object{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	most := make(chan struct{}, 8)
	for _, id := range blueprints {
		wait.Go(func() {
			most <- struct{}{}
			defer func() { <-most }()
			document, err := q.api.ReadBlueprint(ctx, id)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[id] = valueTypes(document)
		})
	}
	wait.Wait()
	return out
}

// hintOf tells the codec the declared type of a value.
func hintOf(types jsonv.Object) func(key string) (typ, items string) {
	return func(key string) (typ, items string) {
		return jsonv.String(types, key, "type"), jsonv.String(types, key, "items", "type")
	}
}

// bareRelations is an entity with the identifiers of related entities where the
// server attached titles to them, and without relations to nothing.
func bareRelations(entity jsonv.Object) jsonv.Object {
	related := jsonv.Map(entity, "relations")
	if related == nil {
		return entity
	}
	out, relations := maps.Clone(entity), jsonv.Object{}
	for key, v := range related {
		if v = bareTarget(v); v != nil && v != "" {
			relations[key] = v
		}
	}
	out["relations"] = relations
	return out
}

func bareTarget(v any) any {
	switch v := v.(type) {
	case jsonv.Object:
		if id, ok := v["identifier"].(string); ok {
			return id
		}
		return nil
	case []any:
		targets := make([]any, 0, len(v))
		for _, e := range v {
			if e = bareTarget(e); e != nil {
				targets = append(targets, e)
			}
		}
		if len(targets) == 0 {
			return nil
		}
		return targets
	}
	return v
}

// emptyRelations makes the maps of relations empty instead of null where the
// entity has any relation, as states have always held them.
func emptyRelations(entity lens.Obj) {
	relations := lens.AsObj(entity["relations"])
	if relations == nil {
		return
	}
	out := lens.Obj{}
	for name, v := range relations {
		out[name] = v
		if v.IsNull() {
			out[name] = tftypes.NewValue(v.Type(), map[string]tftypes.Value{})
		}
	}
	entity["relations"] = tftypes.NewValue(entity["relations"].Type(), out)
}
