package inputs

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
)

// World answers for what inputs refer to.
type World interface {
	// Entity is an entity as the programs of a form see it (reference/actions.md
	// §2.4), nil when there is none.
	Entity(blueprint, identifier string) (jsonv.Object, error)
}

// Asked is what a form is resolved for.
type Asked struct {
	// Posted are the values given, by input.
	Posted jsonv.Object
	// Entity is what the action is run on, nil where there is nothing (F2).
	Entity any
	// User is who runs the action and Trigger how, as programs see them (F3, F4).
	User, Trigger jsonv.Object
	World         World
	// Now is what the program's now sees.
	Now func() time.Time
	// AllowUnknown accepts values that are no inputs.
	AllowUnknown bool
}

// Resolved is a form with everything filled in that the server fills in, and what
// holds for its values then.
type Resolved struct {
	form  *Form
	asked Asked
	// Values are the posted values and the defaults; Expanded are the same with
	// entities in the place of their identifiers, as templates see them (§3.4).
	Values, Expanded jsonv.Object
	// missing are the references of inputs to entities that do not exist.
	missing map[string][]missing

	required map[string]bool
	hidden   map[string]bool
	limits   map[string]limits
	// lookups and bytes are what entities have taken so far; excessive are the inputs
	// that were not expanded for it.
	lookups, bytes int
	excessive      map[string]bool
	// patience is for the patterns of all inputs together.
	patience propschema.Patience
	// exceeded says that programs were stopped because all of them together took too
	// long, so that what they restrict is not known.
	exceeded bool
}

// missing is an item of an input, -1 for the input itself.
type missing struct {
	item int
	id   string
}

// limits are the parts of an input's check that may be computed.
type limits struct {
	enum, itemEnum     []any
	pattern            any // a string, or a list of the values allowed
	minItems, maxItems *int
}

// mostLookups and mostBytes bound the entities that inputs name, which stand in the run
// as a whole, however often one is named: a few bytes must not become a gigabyte.
const (
	mostLookups = 10000
	mostBytes   = 4 << 20
)

// programTime bounds all programs of one form together: whoever writes a form
// chooses how many it has.
const programTime = 2 * time.Second

// Resolve fills in defaults and computes what depends on the values: steps 1 to 3
// of reference/actions.md §2.5. An error is the world's or the context's, never the
// form's or the caller's.
func (f *Form) Resolve(ctx context.Context, a Asked) (*Resolved, error) {
	r := &Resolved{
		form: f, asked: a, Values: jsonv.Object{}, missing: map[string][]missing{}, excessive: map[string]bool{},
		required: map[string]bool{}, hidden: map[string]bool{}, limits: map[string]limits{},
	}
	r.Expanded = jsonv.Object{}
	e := &evaluation{ctx: ctx, r: r, budget: jq.NewBudget(programTime)}
	e.document = jsonv.Object{"form": r.Expanded, "entity": a.Entity, "user": jsonv.OrEmpty(a.User), "trigger": jsonv.OrEmpty(a.Trigger)}
	for id, v := range a.Posted {
		if err := e.know(id, v); err != nil {
			return nil, err
		}
	}
	for _, id := range f.order {
		if d := f.inputs[id].fallback; !e.known(id) && d.given && !d.computed {
			if err := e.know(id, d.literal); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range f.order {
		i := f.inputs[id]
		if e.known(id) || !i.fallback.computed {
			continue
		}
		if v, ok := e.value(i.fallback); ok && v != nil && i.takes(v) {
			if err := e.know(id, v); err != nil {
				return nil, err
			}
		}
	}
	e.settle()
	r.exceeded = e.budget.Exceeded()
	return r, ctx.Err()
}

// takes tells whether a computed default is a value of the input. An empty text is
// none of the formats that have a syntax: so the e-mail address of who runs the
// action is no default where a machine does (F3).
func (i *input) takes(v any) bool {
	kind := jsonv.KindOf(v)
	if v == "" && (i.format == formatEntity || i.format == formatUser || i.format == formatTeam || slices.Contains(checkedFormats, i.format)) {
		return false
	}
	return kind == i.kind || i.format == formatEntity && kind == "object"
}

// evaluation is the state of one call of Resolve.
type evaluation struct {
	ctx      context.Context //nolint:containedctx // it lives exactly as long as the call whose context it is
	r        *Resolved
	budget   *jq.Budget
	document jsonv.Object
}

func (e *evaluation) known(id string) bool {
	_, ok := e.r.Values[id]
	return ok
}

// know takes a value over, expanded for the programs that follow (F1).
func (e *evaluation) know(id string, v any) error {
	e.r.Values[id] = v
	seen, err := e.r.expand(id, v)
	if err != nil {
		return err
	}
	e.r.Expanded[id] = seen
	return nil
}

// value evaluates a part of the form; ok is false when it is absent, fails, or
// yields nothing (§2.4).
func (e *evaluation) value(d dynamic) (any, bool) {
	if !d.given {
		return nil, false
	}
	switch {
	case !d.computed:
		return d.literal, true
	case d.program == "":
		return nil, false
	}
	p, err := jq.Compile(d.program)
	if err != nil {
		return nil, false
	}
	v, some, err := p.First(e.ctx, e.document, jq.Limits{Now: e.r.asked.Now, Budget: e.budget})
	return v, some && err == nil
}

func (e *evaluation) visible(d dynamic) bool {
	v, ok := e.value(d)
	shown, isBool := v.(bool)
	return !ok || !isBool || shown
}

func (e *evaluation) list(d dynamic) []any {
	v, _ := e.value(d)
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	if list == nil {
		list = []any{}
	}
	return list
}

// settle computes what holds for the values, now that all are known.
func (e *evaluation) settle() {
	f, r := e.r.form, e.r
	for _, id := range jsonv.Strings(e.list(f.required)) {
		r.required[id] = true
	}
	for _, s := range f.steps {
		if !e.visible(s.visible) {
			for _, id := range s.inputs {
				r.hidden[id] = true
			}
		}
	}
	for _, id := range f.order {
		i := f.inputs[id]
		if !e.visible(i.visible) {
			r.hidden[id] = true
		}
		if _, ok := r.Values[id]; !ok {
			continue // nothing to check
		}
		l := limits{enum: e.list(i.enum), itemEnum: e.list(i.itemEnum)}
		if i.pattern.computed {
			l.pattern, _ = e.value(i.pattern)
		}
		if i.minItems.computed {
			l.minItems = count(e.value(i.minItems))
		}
		if i.maxItems.computed {
			l.maxItems = count(e.value(i.maxItems))
		}
		r.limits[id] = l
	}
}

func count(v any, ok bool) *int {
	n, isNumber := v.(json.Number)
	if !ok || !isNumber || !jsonv.IsInteger(n) {
		return nil
	}
	i, err := jsonv.CanonicalNumber(n).Int64()
	if err != nil {
		return nil
	}
	out := int(i)
	return &out
}

// expand is a value with entities in the place of their identifiers (F1, §3.4).
func (r *Resolved) expand(id string, v any) (any, error) {
	i := r.form.inputs[id]
	if i == nil {
		return v, nil
	}
	if i.format == formatEntity && i.kind != "array" {
		return r.entity(i, i.blueprint, -1, v)
	}
	list, isList := v.([]any)
	blueprint := i.itemBlueprint
	if i.format == formatEntity && blueprint == "" {
		blueprint = i.blueprint
	}
	if !isList || blueprint == "" {
		return v, nil
	}
	out := make([]any, len(list))
	for n, e := range list {
		var err error
		if out[n], err = r.entity(i, blueprint, n, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// entity looks one up; a value that names none stays as it is and is remembered.
func (r *Resolved) entity(i *input, blueprint string, item int, v any) (any, error) {
	id, ok := identifierOf(v)
	if !ok || r.asked.World == nil {
		return v, nil
	}
	if r.lookups++; r.lookups > mostLookups || r.bytes > mostBytes {
		r.excessive[i.id] = true
		return v, nil
	}
	found, err := r.asked.World.Entity(blueprint, id)
	if err != nil {
		return nil, err
	}
	r.bytes += len(jsonv.Encode(found))
	if found == nil {
		r.missing[i.id] = append(r.missing[i.id], missing{item, id})
		return v, nil
	}
	return found, nil
}

// identifierOf reads an entity input's value: an identifier, or an object that has
// one (§2.3).
func identifierOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, v != ""
	case jsonv.Object:
		id, ok := v["identifier"].(string)
		return id, ok && id != ""
	}
	return "", false
}
