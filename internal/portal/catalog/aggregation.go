package catalog

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// aggregation is a compiled aggregation property (reference/catalog.md §2.9).
type aggregation struct {
	target      string
	byProperty  bool
	function    string
	property    string
	averageOf   string
	measureTime string
	// query is nil without a filter; broken is set when the stored query can no
	// longer be read, and then the value is null.
	query  *query.Query
	broken bool
	// path is empty when every related entity counts.
	path []string
	// from is the blueprint that path starts at; empty for the entity itself.
	from string
}

func compileAggregation(def jsonv.Object) *aggregation {
	a := &aggregation{
		target:      jsonv.String(def, "target"),
		byProperty:  jsonv.String(def, "calculationSpec", "calculationBy") == "property",
		function:    jsonv.String(def, "calculationSpec", "func"),
		property:    jsonv.String(def, "calculationSpec", "property"),
		averageOf:   jsonv.String(def, "calculationSpec", "averageOf"),
		measureTime: jsonv.String(def, "calculationSpec", "measureTimeBy"),
		path:        jsonv.Strings(jsonv.List(def, "pathFilter", "0", "path")),
		from:        jsonv.String(def, "pathFilter", "0", "fromBlueprint"),
	}
	if a.measureTime == "" {
		a.measureTime = "$createdAt"
	}
	if raw, ok := def["query"]; ok {
		q, err := parseStoredQuery(raw, nil)
		a.query, a.broken = q, err != nil
	}
	return a
}

// parseStoredQuery reads a query that fits either search's schema.
func parseStoredQuery(raw any, at []string) (*query.Query, error) {
	q, err := query.Parse(raw, query.Options{Scope: query.OneBlueprint, At: at})
	if err == nil {
		return q, nil
	}
	return query.Parse(raw, query.Options{Scope: query.CatalogWide, At: at})
}

var (
	aggregationUnits = []string{"hour", "day", "week", "month", "total"}
	// aggregationSpecs are the CLOSED variants of calculationSpec: the keys each
	// function takes and which of them it needs.
	aggregationSpecs = map[string]map[string]struct{ needs, takes []string }{
		"entities": {
			"count":   {},
			"average": {needs: []string{"averageOf"}, takes: []string{"measureTimeBy"}},
		},
		"property": {
			"sum": {needs: []string{"property"}}, "min": {needs: []string{"property"}},
			"max": {needs: []string{"property"}}, "median": {needs: []string{"property"}},
			"average": {needs: []string{"property", "averageOf"}, takes: []string{"measureTimeBy"}},
		},
	}
)

// aggregationDefinition reads one entry of aggregationProperties.
func (r *reader) aggregationDefinition(def jsonv.Object, at []string) {
	r.closed(def, at, "title", "description", "icon", "type", "target", "calculationSpec", "query", "pathFilter")
	r.text(def, "title", maxTitle, at...)
	r.text(def, "description", 0, at...)
	r.text(def, "icon", 0, at...)
	r.needText(def, "target", 0, at...)
	if def["type"] == nil {
		def["type"] = "number"
	} else {
		r.oneOf(def, "type", []string{"number"}, at...)
	}
	r.calculationSpec(def, at)
	if raw, ok := def["query"]; ok {
		if _, err := parseStoredQuery(raw, below(at, "query")); err != nil {
			r.adopt(err, below(at, "query"))
		}
	}
	r.pathFilter(def, at)
}

// adopt takes over the violations that another parser found.
func (r *reader) adopt(err error, at []string) {
	f, ok := err.(*fault.Fault) //nolint:errorlint // parsers return the fault itself
	entries := jsonv.List(jsonv.Object{}, "errors")
	if ok {
		entries = jsonv.List(f.Details, "errors")
	}
	if len(entries) == 0 {
		r.add(at, "%s", err.Error())
	}
	for _, e := range entries {
		r.problems = append(r.problems, fault.Problem{Path: jsonv.String(e, "path"), Message: jsonv.String(e, "message")})
	}
}

func (r *reader) calculationSpec(def jsonv.Object, at []string) {
	at = below(at, "calculationSpec")
	spec := r.object(def["calculationSpec"], at...)
	if spec == nil {
		if def["calculationSpec"] == nil {
			r.add(at, "is required")
		}
		return
	}
	by := r.oneOf(spec, "calculationBy", sortedKeys(aggregationSpecs), at...)
	functions := aggregationSpecs[by]
	if functions == nil {
		return
	}
	variant, ok := functions[r.oneOf(spec, "func", sortedKeys(functions), at...)]
	if !ok {
		return
	}
	r.closed(spec, at, slices.Concat([]string{"calculationBy", "func"}, variant.needs, variant.takes)...)
	for _, key := range variant.needs {
		r.needText(spec, key, 0, at...)
	}
	for _, key := range variant.takes {
		r.text(spec, key, 0, at...)
	}
	if slices.Contains(variant.needs, "averageOf") {
		r.oneOf(spec, "averageOf", aggregationUnits, at...)
	}
}

// pathFilter reads an array of at most one {path, fromBlueprint} (A4).
func (r *reader) pathFilter(def jsonv.Object, at []string) {
	raw, ok := def["pathFilter"]
	if !ok {
		return
	}
	at = below(at, "pathFilter")
	list, ok := raw.([]any)
	if !ok {
		r.add(at, "want an array, got %s", jsonv.KindOf(raw))
		return
	}
	if len(list) > 1 {
		r.add(at, "takes at most one path")
	}
	for i, e := range list {
		where := below(at, string(jsonv.Int(i)))
		o, ok := e.(jsonv.Object)
		if !ok {
			r.add(where, "want an object, got %s", jsonv.KindOf(e))
			continue
		}
		r.closed(o, where, "path", "fromBlueprint")
		if from, ok := r.text(o, "fromBlueprint", 0, where...); ok && from == "" {
			r.add(below(where, "fromBlueprint"), "must not be empty")
		}
		steps, ok := o["path"].([]any)
		if !ok || len(steps) == 0 {
			r.add(below(where, "path"), "want an array of at least one relation")
		}
		for j, step := range steps {
			if s, ok := step.(string); !ok || (s != "$team" && !propschema.Key.Valid(s)) {
				r.add(below(where, "path", string(jsonv.Int(j))), "want a relation's identifier")
			}
		}
	}
}
