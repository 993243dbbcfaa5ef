package lens

import (
	"fmt"
	"strings"
)

// Rules are parts without attributes that relate the attributes beside them.

// AtMostOne refuses more than one of the named attributes.
func AtMostOne(names ...string) Part { return countRule{names: names, most: true} }

// ExactlyOne wants exactly one of the named attributes.
func ExactlyOne(names ...string) Part { return countRule{names: names, least: true, most: true} }

// AtLeastOne wants one or more of the named attributes.
func AtLeastOne(names ...string) Part { return countRule{names: names, least: true} }

// Needs wants all the others where the first attribute is set.
func Needs(name string, others ...string) Part { return needsRule{name, others} }

// Rule is a condition of one's own over the attributes of one object. It must
// leave alone whatever depends on an unknown value.
func Rule(check func(at Path, from Obj) []Problem) Part { return funcRule(check) }

// Finding makes an error for [Rule].
func (p Path) Finding(summary, detail string) Problem { return p.problem(summary, detail) }

type noWire struct{}

func (noWire) Attrs() []Attr                  { return nil }
func (noWire) Keys() [][]string               { return nil }
func (noWire) Put(*Run, Obj, Body) error      { return nil }
func (noWire) Get(*Run, Body, Obj, Obj) error { return nil }

type countRule struct {
	noWire
	names       []string
	least, most bool
}

func (c countRule) choices() []Choice { return []Choice{{c.names, c.least, c.most}} }

func (c countRule) refers() []string { return c.names }

func (c countRule) Problems(at Path, from Obj) []Problem {
	var set []string
	for _, n := range c.names {
		v := from[n]
		if v.Type() != nil && !v.IsKnown() {
			return nil
		}
		if Known(v) {
			set = append(set, n)
		}
	}
	all := "`" + strings.Join(c.names, "`, `") + "`"
	switch {
	case c.least && len(set) == 0:
		how := "exactly one"
		if !c.most {
			how = "at least one"
		}
		return []Problem{at.problem(titleCombination, fmt.Sprintf("%s of these attributes must be set: %s", how, all))}
	case c.most && len(set) > 1:
		how := "at most one"
		if c.least {
			how = "exactly one"
		}
		return []Problem{at.Name(set[1]).problem(titleCombination,
			fmt.Sprintf("%s of these attributes can be set: %s; set are `%s`", how, all, strings.Join(set, "`, `")))}
	}
	return nil
}

type needsRule struct {
	name   string
	others []string
}

func (needsRule) Attrs() []Attr                  { return nil }
func (needsRule) Keys() [][]string               { return nil }
func (needsRule) Put(*Run, Obj, Body) error      { return nil }
func (needsRule) Get(*Run, Body, Obj, Obj) error { return nil }

func (n needsRule) refers() []string { return append([]string{n.name}, n.others...) }

func (n needsRule) Problems(at Path, from Obj) []Problem {
	if !Known(from[n.name]) {
		return nil
	}
	var out []Problem
	for _, o := range n.others {
		if Nothing(from[o]) {
			out = append(out, at.Name(n.name).problem(titleCombination,
				fmt.Sprintf("`%s` must be set when `%s` is", o, n.name)))
		}
	}
	return out
}

type funcRule func(at Path, from Obj) []Problem

func (funcRule) Attrs() []Attr                  { return nil }
func (funcRule) Keys() [][]string               { return nil }
func (funcRule) Put(*Run, Obj, Body) error      { return nil }
func (funcRule) Get(*Run, Body, Obj, Obj) error { return nil }

func (f funcRule) Problems(at Path, from Obj) []Problem { return f(at, from) }
