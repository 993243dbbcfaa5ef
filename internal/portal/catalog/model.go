package catalog

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// blueprint is a definition made ready for use. It is immutable and shared.
type blueprint struct {
	id       string
	doc      store.Doc
	required []string
	props    map[string]*property
	mirrors  map[string]mirror
	// timers are the properties of format timer.
	timers    []string
	calcs     map[string]*calculation
	aggs      map[string]*aggregation
	relations map[string]relation
	// relationKeys are in text order, so that effects and messages are repeatable.
	relationKeys []string
	ownership    ownership
}

type property struct {
	def jsonv.Object
	// check is nil for a definition that no longer compiles; such a property
	// admits every value.
	check      *propschema.Property
	value      any
	hasDefault bool
}

type relation struct {
	target   string
	required bool
	many     bool
	marker   string
}

// computedKind tells what computes a key.
type computedKind int

const (
	notComputed computedKind = iota
	isMirror
	isCalculation
	isAggregation
)

func (b *blueprint) computed(key string) computedKind {
	if _, ok := b.mirrors[key]; ok {
		return isMirror
	}
	if _, ok := b.calcs[key]; ok {
		return isCalculation
	}
	if _, ok := b.aggs[key]; ok {
		return isAggregation
	}
	return notComputed
}

func compileBlueprint(doc store.Doc) *blueprint {
	b := &blueprint{
		id:        jsonv.String(doc, "identifier"),
		doc:       doc,
		required:  jsonv.Strings(jsonv.List(doc, "schema", "required")),
		props:     map[string]*property{},
		mirrors:   map[string]mirror{},
		calcs:     map[string]*calculation{},
		aggs:      map[string]*aggregation{},
		relations: map[string]relation{},
	}
	for key, v := range jsonv.Map(doc, "schema", "properties") {
		def, _ := v.(jsonv.Object)
		p := &property{def: def}
		if check, problems := propschema.Compile(def); len(problems) == 0 {
			p.check = check
		}
		p.value, p.hasDefault = def["default"]
		b.props[key] = p
	}
	b.timers = timersOf(b.props)
	for key, v := range jsonv.Map(doc, "relations") {
		b.relations[key] = relation{
			target:   jsonv.String(v, "target"),
			required: jsonv.Bool(v, "required"),
			many:     jsonv.Bool(v, "many"),
			marker:   jsonv.String(v, "type"),
		}
		b.relationKeys = append(b.relationKeys, key)
	}
	slices.Sort(b.relationKeys)
	for key, v := range jsonv.Map(doc, "mirrorProperties") {
		b.mirrors[key] = parseMirror(jsonv.String(v, "path"))
	}
	for key, v := range jsonv.Map(doc, "calculationProperties") {
		def, _ := v.(jsonv.Object)
		b.calcs[key] = compileCalculation(def)
	}
	for key, v := range jsonv.Map(doc, "aggregationProperties") {
		def, _ := v.(jsonv.Object)
		b.aggs[key] = compileAggregation(def)
	}
	b.ownership = parseOwnership(doc)
	return b
}

// parseMirror splits a mirror path into its hops and its leaf.
func parseMirror(path string) mirror {
	steps := strings.Split(path, ".")
	return mirror{path: path, hops: steps[:len(steps)-1], leaf: steps[len(steps)-1]}
}

// sortBlueprints puts blueprints in list order: creation time, then identifier
// (reference/catalog.md §1.5).
func sortBlueprints(all []*blueprint) {
	slices.SortFunc(all, func(a, b *blueprint) int {
		if c := strings.Compare(jsonv.String(a.doc, "createdAt"), jsonv.String(b.doc, "createdAt")); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
}

// public returns a stored document as callers see it, without private keys.
func public(doc store.Doc) jsonv.Object {
	out := make(jsonv.Object, len(doc))
	for k, v := range doc {
		if !strings.HasPrefix(k, "$") {
			out[k] = jsonv.Clone(v)
		}
	}
	return out
}
