package lenstest

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// generator makes random valid objects of a codec.
type generator struct {
	*Random
	codec *lens.Codec
	texts map[string]func(*Random) string
	count int
	depth int
}

// object makes an object that the codec's own checks accept. Values that break a
// rule the schema does not show are taken out one by one.
func (g *generator) object() (tftypes.Value, error) {
	var found []lens.Problem
	for range 200 {
		v := g.nested("", g.codec.Attrs(), g.codec.Choices())
		for range 50 {
			found = nil
			for _, p := range g.codec.Problems(v) {
				if !p.Warning {
					found = append(found, p)
				}
			}
			if len(found) == 0 {
				return v, nil
			}
			next, ok := g.relieved(v, found[0].Path)
			if !ok {
				break
			}
			v = next
		}
	}
	return tftypes.Value{}, fmt.Errorf("no random object passes the checks; the last one: %s: %s (give Texts for it)",
		lens.PathString(found[0].Path), found[0].Detail)
}

// relieved takes out the innermost thing at or around a path that may be left
// out.
func (g *generator) relieved(v tftypes.Value, at *tftypes.AttributePath) (tftypes.Value, bool) {
	steps := at.Steps()
	for n := len(steps); n > 0; n-- {
		path := tftypes.NewAttributePathWithSteps(steps[:n])
		if _, named := steps[n-1].(tftypes.AttributeName); named {
			if a := attrAt(g.codec.Attrs(), path); a == nil || a.Mode == lens.Req {
				continue
			}
		}
		if next, ok := without(v, path); ok {
			return next, true
		}
	}
	return v, false
}

// attrAt finds the attribute a path ends at or below; nil when there is none.
func attrAt(attrs []lens.Attr, path *tftypes.AttributePath) *lens.Attr {
	var found *lens.Attr
	for _, s := range path.Steps() {
		name, ok := s.(tftypes.AttributeName)
		if !ok {
			continue
		}
		found = nil
		for i := range attrs {
			if attrs[i].Name == string(name) {
				found = &attrs[i]
			}
		}
		if found == nil {
			return nil
		}
		attrs = found.Nested
	}
	return found
}

// without takes the value at a path out: an optional attribute becomes null, a
// map element goes away.
func without(v tftypes.Value, at *tftypes.AttributePath) (tftypes.Value, bool) {
	if len(at.Steps()) == 0 {
		return v, false
	}
	changed := false
	out, err := tftypes.Transform(v, func(p *tftypes.AttributePath, e tftypes.Value) (tftypes.Value, error) {
		steps := at.Steps()
		last := steps[len(steps)-1]
		if key, ok := last.(tftypes.ElementKeyString); ok && p.Equal(tftypes.NewAttributePathWithSteps(steps[:len(steps)-1])) && lens.Known(e) {
			m := map[string]tftypes.Value{}
			for k, x := range lens.AsObj(e) {
				if k != string(key) {
					m[k] = x
				}
			}
			changed = true
			return tftypes.NewValue(e.Type(), m), nil
		}
		if _, named := last.(tftypes.AttributeName); named && p.Equal(at) && !e.IsNull() {
			changed = true
			return tftypes.NewValue(e.Type(), nil), nil
		}
		return e, nil
	})
	return out, err == nil && changed
}

func (g *generator) nested(path string, attrs []lens.Attr, choices []lens.Choice) tftypes.Value {
	g.depth++
	defer func() { g.depth-- }()
	obj := lens.Obj{}
	types := map[string]tftypes.Type{}
	for _, a := range attrs {
		types[a.Name] = a.Type
		obj[a.Name] = g.attribute(join(path, a.Name), a)
	}
	for _, c := range choices {
		g.choose(path, attrs, c, obj)
	}
	return tftypes.NewValue(tftypes.Object{AttributeTypes: types}, obj)
}

// choose leaves one attribute of a choice, making it when there must be one.
func (g *generator) choose(path string, attrs []lens.Attr, c lens.Choice, obj lens.Obj) {
	var set []string
	for _, n := range c.Names {
		if !obj[n].IsNull() {
			set = append(set, n)
		}
	}
	if c.Least && len(set) == 0 {
		n := pick(g.Random, c.Names)
		for _, a := range attrs {
			if a.Name == n {
				obj[n] = g.value(join(path, n), a)
				set = []string{n}
			}
		}
	}
	if !c.Most || len(set) < 2 {
		return
	}
	keep := pick(g.Random, set)
	for _, n := range set {
		if n != keep {
			obj[n] = tftypes.NewValue(obj[n].Type(), nil)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (g *generator) attribute(path string, a lens.Attr) tftypes.Value {
	null := tftypes.NewValue(a.Type, nil)
	switch {
	case a.Mode == lens.Computed, a.WriteOnly, a.Unread:
		return null
	case a.Mode == lens.Req:
		return g.value(path, a)
	case a.Default != nil:
		if g.Chance(30) {
			return *a.Default
		}
		return g.value(path, a)
	case g.depth > 5 && g.Chance(80), g.Chance(50):
		return null
	}
	return g.value(path, a)
}

func (g *generator) value(path string, a lens.Attr) tftypes.Value {
	switch a.Nesting {
	case lens.Single:
		return g.nested(path, a.Nested, a.Choices)
	case lens.InMap:
		return g.mapOf(a, func() tftypes.Value { return g.nested(path, a.Nested, a.Choices) })
	case lens.InList, lens.InSet:
		return g.listOf(a, func() tftypes.Value { return g.nested(path, a.Nested, a.Choices) })
	}
	return g.flat(path, a, a.Type, a.Checks)
}

func (g *generator) flat(path string, a lens.Attr, t tftypes.Type, checks []lens.Check) tftypes.Value {
	a.Type = t // collections may hold collections
	switch t := t.(type) {
	case tftypes.List:
		return g.listOf(a, func() tftypes.Value { return g.flat(path, a, t.ElementType, a.ElemChecks) })
	case tftypes.Set:
		return g.listOf(a, func() tftypes.Value { return g.flat(path, a, t.ElementType, a.ElemChecks) })
	case tftypes.Map:
		if inner, ok := t.ElementType.(tftypes.List); ok {
			return g.mapOf(a, func() tftypes.Value {
				b := a
				b.Type, b.Checks = inner, nil
				return g.listOf(b, func() tftypes.Value { return g.flat(path, a, inner.ElementType, a.ElemChecks) })
			})
		}
		return g.mapOf(a, func() tftypes.Value { return g.flat(path, a, t.ElementType, a.ElemChecks) })
	case tftypes.Object:
		obj := lens.Obj{}
		for n, et := range t.AttributeTypes {
			obj[n] = tftypes.NewValue(et, nil)
			if g.Chance(80) {
				obj[n] = g.flat(join(path, n), lens.Attr{Name: n, Type: et}, et, nil)
			}
		}
		return tftypes.NewValue(t, obj)
	}
	switch {
	case t.Is(tftypes.Bool):
		return lens.Flag(len(valuesOf(checks)) > 0 || g.Chance(50))
	case t.Is(tftypes.Number):
		return g.number(a, checks)
	}
	return lens.Str(g.text(path, a, checks))
}

func (g *generator) size(a lens.Attr) int {
	least, most := 0, 4
	for _, c := range a.Checks {
		if c.Min != nil && int(*c.Min) > least {
			least = int(*c.Min)
		}
		if c.Max != nil && int(*c.Max) < most {
			most = int(*c.Max)
		}
	}
	if g.depth > 4 {
		most = max(least, 1)
	}
	return least + g.N(most-least+1)
}

func (g *generator) mapOf(a lens.Attr, element func() tftypes.Value) tftypes.Value {
	m := map[string]tftypes.Value{}
	for range g.size(a) {
		g.count++
		m[fmt.Sprintf("key_%d", g.count)] = element()
	}
	return tftypes.NewValue(a.Type, m)
}

func (g *generator) listOf(a lens.Attr, element func() tftypes.Value) tftypes.Value {
	_, set := a.Type.(tftypes.Set)
	for _, c := range a.Checks {
		set = set || c.Unique
	}
	vs := []tftypes.Value{}
	n := g.size(a)
	for try := 0; len(vs) < n && try < 10*n; try++ {
		v := element()
		twice := false
		for _, w := range vs {
			twice = twice || set && lens.Equal(w, v)
		}
		if !twice {
			vs = append(vs, v)
		}
	}
	return tftypes.NewValue(a.Type, vs)
}

func valuesOf(checks []lens.Check) []string {
	for _, c := range checks {
		if len(c.Values) > 0 {
			return c.Values
		}
	}
	return nil
}

func (g *generator) number(a lens.Attr, checks []lens.Check) tftypes.Value {
	texts := []string{"0", "1", "-1", "7", "9007199254740993", "42"}
	if a.Number != lens.Int64 {
		texts = append(texts, "0.1", "-2.5", "1e21", "1e-7", "3.141592653589793238462643383279", "123456789012345678901234567890")
	}
	for range 20 {
		v := lens.Num(pick(g.Random, texts))
		if g.accepted(v, checks) {
			return v
		}
	}
	for _, c := range checks {
		if c.Min != nil {
			return tftypes.NewValue(tftypes.Number, new(big.Float).SetPrec(512).SetInt64(*c.Min))
		}
	}
	return lens.Num("0")
}

func (g *generator) accepted(v tftypes.Value, checks []lens.Check) bool {
	for _, c := range checks {
		if !c.Warning && c.Test(v) != "" {
			return false
		}
	}
	return true
}

func (g *generator) text(path string, a lens.Attr, checks []lens.Check) string {
	if make, ok := g.texts[path]; ok {
		return make(g.Random)
	}
	if vs := valuesOf(checks); len(vs) > 0 {
		return pick(g.Random, vs)
	}
	for range 100 {
		s := g.anyText(a)
		if g.accepted(lens.Str(s), checks) {
			return s
		}
	}
	return "a"
}

func (g *generator) anyText(a lens.Attr) string {
	g.count++
	switch a.Text {
	case lens.ObjectText:
		return g.spell(g.jsonObject(2))
	case lens.JSONText:
		return g.spell(g.json(2))
	}
	switch g.N(8) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("<a> & \"b\" \u2028 ü %d", g.count)
	case 2:
		return "x"
	case 3:
		return fmt.Sprintf("{\"a\":%d}", g.count)
	case 4:
		return fmt.Sprintf("line\nline %d", g.count)
	}
	return fmt.Sprintf("text%d", g.count)
}

func (g *generator) json(depth int) any {
	switch g.N(7) {
	case 0, 1:
		if depth > 0 {
			return g.jsonObject(depth - 1)
		}
	case 2:
		if depth > 0 {
			l := []any{}
			for range g.N(3) {
				l = append(l, g.json(depth-1))
			}
			return l
		}
	case 3:
		return jsonv.Int(g.N(1000))
	case 4:
		return g.Chance(50)
	case 5:
		if depth < 2 {
			return nil
		}
	}
	return fmt.Sprintf("<s%d>", g.count)
}

func (g *generator) jsonObject(depth int) any {
	o := lens.Body{}
	for i := range g.N(4) {
		o[fmt.Sprintf("k%d", i)] = g.json(depth)
	}
	return o
}

// spell writes JSON in one of many ways that mean the same: keys backwards,
// spaces, escapes, numbers with a fraction of zero.
func (g *generator) spell(j any) string {
	gap := pick(g.Random, []string{"", " ", "\n\t"})
	switch j := j.(type) {
	case lens.Body:
		var parts []string
		for k, v := range j {
			parts = append(parts, `"`+k+`"`+gap+":"+gap+g.spell(v))
		}
		// Map order is random on purpose only within the codec's reach: sort, then
		// turn round, so that rounds repeat.
		sortStrings(parts)
		if g.Chance(50) {
			for i, n := 0, len(parts); i < n/2; i++ {
				parts[i], parts[n-1-i] = parts[n-1-i], parts[i]
			}
		}
		return "{" + gap + strings.Join(parts, ","+gap) + gap + "}"
	case []any:
		var parts []string
		for _, v := range j {
			parts = append(parts, g.spell(v))
		}
		return "[" + gap + strings.Join(parts, gap+","+gap) + "]"
	case string:
		if g.Chance(50) {
			return string(jsonv.EncodeHTML(j))
		}
		return string(jsonv.Encode(j))
	}
	text := string(jsonv.Encode(j))
	if text != "" && text[0] >= '0' && text[0] <= '9' && g.Chance(50) {
		return pick(g.Random, []string{text + ".0", text + "e0", text + "E+0"})
	}
	return text
}
