package catalog

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// mapping is the compiled form of what a migration does: nil programs were not
// given.
type mapping struct {
	target        string
	filter, items *jq.Program
	identifier    *jq.Program
	// texts are title, icon and team.
	texts      map[string]*jq.Program
	properties map[string]*jq.Program
	relations  map[string]*jq.Program
}

// mapping reads the "mapping" of a migration (reference/catalog.md §2.17). Its
// blueprint defaults to the source, its identifier to the source entity's.
func (r *reader) mapping(v any, source string, at ...string) mapping {
	in := r.object(v, at...)
	if v == nil {
		r.add(at, "is required")
	}
	m := mapping{target: source, texts: map[string]*jq.Program{}}
	r.closed(in, at, "blueprint", "filter", "itemsToParse", "entity")
	if target, ok := r.text(in, "blueprint", 0, at...); ok {
		m.target = target
	}
	m.filter = r.program(in, "filter", at...)
	m.items = r.program(in, "itemsToParse", at...)
	at = below(at, "entity")
	entity := r.object(in["entity"], at...)
	if in != nil && in["entity"] == nil {
		r.add(at, "is required")
	}
	r.closed(entity, at, "identifier", "title", "icon", "team", "properties", "relations")
	m.identifier = r.program(entity, "identifier", at...)
	for _, key := range []string{"title", "icon", "team"} {
		if p := r.program(entity, key, at...); p != nil {
			m.texts[key] = p
		}
	}
	m.properties = r.programs(entity, "properties", at)
	m.relations = r.programs(entity, "relations", at)
	return m
}

func (r *reader) programs(in jsonv.Object, key string, at []string) map[string]*jq.Program {
	at = below(at, key)
	given := r.object(in[key], at...)
	out := map[string]*jq.Program{}
	for _, name := range sortedKeys(given) {
		if given[name] == nil {
			r.add(below(at, name), "want a string, got null")
			continue
		}
		out[name] = r.program(given, name, at...)
	}
	return out
}

func (r *reader) program(in jsonv.Object, key string, at ...string) *jq.Program {
	text, ok := r.text(in, key, 0, at...)
	if !ok {
		return nil
	}
	p, err := compileMapping(text)
	if err != nil {
		r.add(below(at, key), "%s", err)
	}
	return p
}

// compileMapping compiles jq in which strings may stand in single quotes. They
// are no quotes of jq, so that a text which compiles as it is means what it says;
// then the rule of calculations is tried, then every quote
// (reference/portal.md §2.4).
func compileMapping(text string) (*jq.Program, error) {
	p, err := jq.Compile(text)
	if err == nil || !strings.Contains(text, "'") {
		return p, err
	}
	if p, err := jq.CompileQuoted(text); err == nil {
		return p, nil
	}
	return nil, err
}

// evaluation runs the programs of a mapping on one source entity.
type evaluation struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the batch whose context it is
	limits jq.Limits
	input  jsonv.Object
}

// run gives the first output; no output and an error of the program are null
// (reference/portal.md §2.4). A program that goes over its limits fails the item.
func (e evaluation) run(p *jq.Program) (any, error) {
	out, _, err := p.First(e.ctx, e.input, e.limits)
	if err == nil {
		return out, nil
	}
	if cause := context.Cause(e.ctx); cause != nil {
		return nil, cause
	}
	if errors.Is(err, jq.ErrLimit) {
		return nil, fault.New(http.StatusUnprocessableEntity, "invalid_request", "a program of the mapping went over its limits of time, work or output")
	}
	return nil, nil
}

// passes tells whether the source entity is migrated at all.
func (m mapping) passes(e evaluation) (bool, error) {
	if m.filter == nil {
		return true, nil
	}
	out, err := e.run(m.filter)
	return out != nil && out != false, err
}

// parts lists what itemsToParse gives; without it there is one part, the entity.
func (m mapping) parts(e evaluation) ([]any, error) {
	if m.items == nil {
		return []any{nil}, nil
	}
	out, err := e.run(m.items)
	if err != nil || out == nil {
		return nil, err
	}
	list, ok := out.([]any)
	if !ok {
		return nil, fault.New(http.StatusUnprocessableEntity, "invalid_request", "itemsToParse: want an array, got %s", jsonv.KindOf(out))
	}
	return list, nil
}

// body is the entity to write. Null in title, icon and team means that they are
// not given.
func (m mapping) body(e evaluation) (jsonv.Object, error) {
	out := jsonv.Object{"identifier": e.input["identifier"]}
	if m.identifier != nil {
		id, err := e.run(m.identifier)
		if err != nil {
			return nil, err
		}
		if text, ok := id.(string); !ok || text == "" {
			return nil, invalid("/identifier", "want a string, got %s", describe(id))
		}
		out["identifier"] = id
	}
	for _, key := range sortedKeys(m.texts) {
		value, err := e.run(m.texts[key])
		if err != nil {
			return nil, err
		}
		if value != nil {
			out[key] = value
		}
	}
	for key, programs := range map[string]map[string]*jq.Program{"properties": m.properties, "relations": m.relations} {
		part := jsonv.Object{}
		for _, name := range sortedKeys(programs) {
			value, err := e.run(programs[name])
			if err != nil {
				return nil, err
			}
			part[name] = value
		}
		if len(part) > 0 {
			out[key] = part
		}
	}
	return out, nil
}

// describe names a value that is not what was wanted.
func describe(v any) string {
	if v == "" {
		return "an empty one"
	}
	return jsonv.KindOf(v)
}

// migrationTime is what the slow programs of one source entity may take together.
const migrationTime = 1500 * time.Millisecond

// evaluation prepares the programs' input: the entity as it reads.
func (s *session) evaluation(d store.Doc, bp *blueprint) (evaluation, error) {
	input, err := s.render(s.viewOf(bp, d), projection{})
	return evaluation{ctx: s.ctx, input: input, limits: jq.Limits{
		Now: func() time.Time { return s.now }, Budget: jq.NewBudget(migrationTime),
	}}, err
}

// with is the same evaluation on one of the parts.
func (e evaluation) with(item any) evaluation {
	input := make(jsonv.Object, len(e.input)+1)
	for key, value := range e.input {
		input[key] = value
	}
	input["item"] = item
	e.input = input
	return e
}
