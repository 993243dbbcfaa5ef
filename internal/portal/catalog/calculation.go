package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// calculationTime is what the slow calculations of one request may take together;
// those that come after are null (reference/catalog.md §2.8 K11).
const calculationTime = 1500 * time.Millisecond

// calculation is a compiled calculation property. program is nil when the text
// is no jq: the definition is accepted and its values are null
// (reference/catalog.md §2.8 K7).
type calculation struct {
	program *jq.Program
	kind    string
}

func compileCalculation(def jsonv.Object) *calculation {
	c := &calculation{kind: jsonv.String(def, "type")}
	if p, err := jq.Compile(jq.DoubleQuotes(jsonv.String(def, "calculation"))); err == nil {
		c.program = p
	}
	return c
}

// calculate evaluates a calculation property on the entity. Whatever goes wrong
// inside the program is null; only the request's own end is an error.
func (v *view) calculate(c *calculation) (any, error) {
	if c.program == nil {
		return nil, nil
	}
	input, err := v.calculationInput()
	if err != nil {
		return nil, err
	}
	out, ok, err := c.program.First(v.s.ctx, input, jq.Limits{
		Now: func() time.Time {
			v.s.trace.passing()
			return v.s.now
		},
		Budget: v.s.calculations,
	})
	if errors.Is(err, jq.ErrLimit) {
		v.s.trace.passing() // what another request has time for may differ
	}
	if err != nil {
		return nil, context.Cause(v.s.ctx)
	}
	if !ok || !c.admits(out) {
		return nil, nil
	}
	return out, nil
}

// admits tells whether a result has the declared type (K8).
func (c *calculation) admits(value any) bool { return jsonv.KindOf(value) == c.kind }

// calculationInput is what a program sees (K1–K3): the entity with its own,
// mirror and aggregation properties, and plain identifiers in relations.
func (v *view) calculationInput() (jsonv.Object, error) {
	const key = "\x00input"
	if c, ok := v.memo[key]; ok {
		if in, ok := c.value.(jsonv.Object); ok {
			v.s.trace.absorb(c.on)
			return in, nil
		}
	}
	var in jsonv.Object
	on, err := v.s.traced(func() (err error) {
		in, err = v.assembleInput()
		return err
	})
	if err != nil {
		return nil, err
	}
	v.remember(key, cell{in, on})
	v.s.unwind(place{v, key}, on)
	return in, nil
}

func (v *view) assembleInput() (jsonv.Object, error) {
	properties := make(jsonv.Object, len(v.bp.props)+len(v.bp.mirrors)+len(v.bp.aggs))
	for k, value := range jsonv.Map(v.doc, "properties") {
		properties[k] = value
	}
	for k := range v.bp.mirrors {
		value, err := v.property(k)
		if err != nil {
			return nil, err
		}
		properties[k] = value
	}
	for k := range v.bp.aggs {
		value, err := v.property(k)
		if err != nil {
			return nil, err
		}
		properties[k] = value
	}
	team, err := v.team()
	if err != nil {
		return nil, err
	}
	return jsonv.Object{
		"identifier": v.doc["identifier"], "title": v.doc["title"], "icon": v.doc["icon"], "blueprint": v.doc["blueprint"],
		"team": team, "properties": properties, "relations": relationsOf(v.doc), "scorecards": jsonv.Object{},
		"createdAt": v.doc["createdAt"], "createdBy": v.doc["createdBy"], "updatedAt": v.doc["updatedAt"], "updatedBy": v.doc["updatedBy"],
	}, nil
}
