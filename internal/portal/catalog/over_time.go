package catalog

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// TimeAxis is the part of a body that says which time to look at and how to
// divide it (reference/catalog.md §4.11).
type TimeAxis struct {
	preset, unit string
	zone         *time.Location
}

// At places the axis at a moment; nothing before earliest is looked at.
func (a TimeAxis) At(now, earliest time.Time) query.Axis {
	from, to, _ := query.Window(a.preset, now, a.zone)
	if from.Before(earliest) {
		from = earliest
	}
	return query.NewAxis(from, to, a.unit, a.zone)
}

// timeAxis reads timeRange and timeInterval. Where they may be missing, a month of
// days in UTC is meant.
func (r *reader) timeAxis(in jsonv.Object, needed, zoneNeeded bool) TimeAxis {
	out := TimeAxis{preset: "lastMonth", unit: "day", zone: time.UTC}
	missing := func(key string) bool {
		_, ok := in[key]
		if !ok && needed {
			r.add([]string{key}, "is required")
		}
		return !ok
	}
	if !missing("timeRange") {
		span := r.object(in["timeRange"], "timeRange")
		if in["timeRange"] == nil {
			r.add([]string{"timeRange"}, "want an object, got null")
		}
		r.closed(span, []string{"timeRange"}, "preset", "timeZone")
		out.preset = r.oneOf(span, "preset", query.AxisPresets, "timeRange")
		if name, ok := span["timeZone"]; ok || zoneNeeded {
			zone, known := query.Zone(text(name))
			if !known {
				r.add([]string{"timeRange", "timeZone"}, "want the name of a time zone")
				zone = time.UTC
			}
			out.zone = zone
		}
	}
	if query.Quarterly(out.preset) {
		out.unit = "quarter"
	}
	if !missing("timeInterval") {
		if out.unit = r.oneOf(in, "timeInterval", query.Units); query.Quarterly(out.preset) && out.unit != "quarter" {
			r.add([]string{"timeInterval"}, "must be quarter with preset %s", out.preset)
		}
	}
	return out
}

// The two things that can be looked at over time.
const (
	aggregateValues = "aggregatePropertiesValues"
	countOverTime   = "countEntities"
)

var overTimeFunctions = map[string][]string{
	aggregateValues: {"average", "sum", "min", "max", "median", "last"},
	countOverTime:   {"count", "average"},
}

// overTimeRequest is the body of POST /v1/entities/aggregate-over-time.
type overTimeRequest struct {
	blueprint, measureTime, kind, function string
	axis                                   TimeAxis
	query                                  *query.Query
	properties                             []string
	breakdown                              string
}

// AggregateOverTime counts a blueprint's entities, or aggregates their values, in
// every interval of a span of time (reference/catalog.md §4.11). An entity belongs
// to the interval of the time that it is measured by; one without is left out.
func (c *Catalog) AggregateOverTime(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	in, err := readOverTime(body)
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor).reader()
	bp, err := s.needBlueprint(in.blueprint)
	if err != nil {
		return nil, err
	}
	if err := s.checkOverTime(bp, in); err != nil {
		return nil, err
	}
	axis := in.axis.At(s.now, time.Time{})
	o := &overTime{in: in, axis: axis, slots: make([]slot, len(axis.Starts)), names: map[string]bool{}}
	err = s.search(bp, in.query, store.Page{}, func(v *view, _ store.Row) (bool, error) { return true, o.add(v) })
	if err != nil {
		return nil, err
	}
	data := make([]any, len(o.slots))
	for i := range o.slots {
		data[i] = o.row(i)
	}
	return AxisResult(axis, data), nil
}

// AxisResult is the answer's part "result": minDate is the first interval's
// beginning, maxDate the end of the span.
func AxisResult(axis query.Axis, data []any) jsonv.Object {
	low := axis.From
	if len(axis.Starts) > 0 {
		low = axis.Starts[0]
	}
	return jsonv.Object{"minDate": jsonv.Int(low.UnixMilli()), "maxDate": jsonv.Int(axis.To.UnixMilli()), "data": data}
}

func readOverTime(body any) (overTimeRequest, error) {
	r := &reader{}
	in := r.body(body)
	out := overTimeRequest{query: query.All()}
	if in == nil {
		return out, r.problems.Invalid()
	}
	out.blueprint = r.needText(in, "blueprint", 0)
	out.measureTime = r.needText(in, "measureTimeBy", 0)
	out.axis = r.timeAxis(in, true, false)
	if raw, ok := in["query"]; !ok {
		r.add([]string{"query"}, "is required")
	} else if q, err := query.Parse(raw, query.Options{Scope: query.CatalogWide, At: []string{"query"}}); err != nil {
		r.adopt(err, []string{"query"})
	} else {
		out.query = q
	}
	common := []string{"blueprint", "timeRange", "timeInterval", "query", "measureTimeBy", "aggregationType", "func"}
	out.kind = r.oneOf(in, "aggregationType", []string{aggregateValues, countOverTime})
	switch out.kind {
	case aggregateValues:
		r.closed(in, nil, append(common, "properties")...)
		list, ok := in["properties"].([]any)
		if !ok {
			r.add([]string{"properties"}, "want an array of property names")
		}
		out.properties = jsonv.Strings(list)
		if len(out.properties) != len(list) {
			r.add([]string{"properties"}, "want nothing but property names")
		}
	case countOverTime:
		r.closed(in, nil, append(common, "breakdownProperty")...)
		r.mustBeText(in, "breakdownProperty")
		out.breakdown = jsonv.String(in, "breakdownProperty")
	}
	if allowed, ok := overTimeFunctions[out.kind]; ok {
		out.function = r.oneOf(in, "func", allowed)
	}
	return out, r.problems.Invalid()
}

// checkOverTime refuses names that the blueprint does not have, or that hold
// something else than is asked of them (as §2.9 A7).
func (s *session) checkOverTime(bp *blueprint, in overTimeRequest) error {
	named := func(name string) (query.Field, error) {
		if isMeta(name) {
			return query.Field{}, nil
		}
		f, err := s.field(bp, name, 0)
		_, own := bp.props[name]
		if err == nil && !own && !f.Relation && bp.computed(name) == notComputed {
			err = fault.NotFound("Property", name).With("blueprint", bp.id)
		}
		return f, err
	}
	f, err := named(in.measureTime)
	if err != nil {
		return err
	}
	dates := in.measureTime == "$createdAt" || in.measureTime == "$updatedAt" || f.Format == "date-time" || f.Format == "timer"
	if !dates {
		return invalid("/measureTimeBy", "%q is no date", in.measureTime)
	}
	for i, name := range in.properties {
		f, err := named(name)
		if err != nil {
			return err
		}
		if f.Type != "number" {
			return invalid(jsonv.Pointer("properties", string(jsonv.Int(i))), "property %q is no number", name)
		}
	}
	if in.breakdown != "" {
		_, err = named(in.breakdown)
	}
	return err
}

// slot is what lies in one interval.
type slot struct {
	n      int64
	counts map[string]int64
	values map[string]*tally
	// last is the latest time at which a property had a value.
	last map[string]time.Time
}

type overTime struct {
	in    overTimeRequest
	axis  query.Axis
	slots []slot
	// names are all values of the breakdown: each interval tells of each.
	names map[string]bool
}

func (o *overTime) add(v *view) error {
	value, err := v.leaf(o.in.measureTime)
	if err != nil {
		return err
	}
	at, ok := jsonv.ParseTime(text(value))
	if !ok {
		return nil
	}
	i, ok := o.axis.Index(at)
	if !ok {
		return nil
	}
	s := &o.slots[i]
	s.n++
	if o.in.breakdown != "" {
		value, err := v.leaf(o.in.breakdown)
		if err != nil {
			return err
		}
		if s.counts == nil {
			s.counts = map[string]int64{}
		}
		for _, name := range valueNames(value) {
			s.counts[name]++
			o.names[name] = true
		}
	}
	for _, name := range o.in.properties {
		value, err := v.leaf(name)
		if err != nil {
			return err
		}
		if n, ok := value.(json.Number); ok {
			o.put(s, name, at, n)
		}
	}
	return nil
}

func (o *overTime) put(s *slot, name string, at time.Time, n json.Number) {
	if s.values == nil {
		s.values, s.last = map[string]*tally{}, map[string]time.Time{}
	}
	t := s.values[name]
	if t == nil {
		t = &tally{in: aggregateRequest{function: o.in.function, by: &by{property: name}}}
		s.values[name] = t
	}
	if o.in.function == "last" {
		if at.Before(s.last[name]) {
			return
		}
		s.last[name], t.values = at, t.values[:0]
	}
	t.values = append(t.values, n)
}

// row is what is told of one interval: a count of nothing is 0 and so is its sum;
// of other figures there is none.
func (o *overTime) row(i int) jsonv.Object {
	s, out := &o.slots[i], jsonv.Object{}
	switch {
	case o.in.kind == aggregateValues:
		for _, name := range o.in.properties {
			t := s.values[name]
			if t == nil {
				if o.in.function == "sum" {
					out[name] = jsonv.Int(0)
				}
				continue
			}
			out[name] = t.overall()
		}
	case o.in.breakdown != "":
		for name := range o.names {
			out[name] = o.count(i, s.counts[name])
		}
	default:
		out["count"] = o.count(i, s.n)
	}
	out["date"] = jsonv.Int(o.axis.Starts[i].UnixMilli())
	return out
}

// overall is the figure of a property's values, of which there are some.
func (t *tally) overall() any {
	if t.in.function == "last" {
		return t.values[len(t.values)-1]
	}
	return t.result(time.Time{})
}

// count is a number of entities, or with func average how many there were a day;
// every day that was begun counts, an hour is one.
func (o *overTime) count(i int, n int64) any {
	if o.in.function != "average" {
		return jsonv.Int(n)
	}
	from := slices.MaxFunc([]time.Time{o.axis.Starts[i], o.axis.From}, time.Time.Compare)
	days := int64((o.axis.End(i).Sub(from) + intervals["day"] - 1) / intervals["day"])
	return number(big.NewRat(n, max(days, 1)))
}
