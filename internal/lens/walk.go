package lens

import "slices"

// A property has a dozen settings and uses three of them. Nearly all a read or a
// plan of a large object does is to find that out for each property, so objects
// prepare the walk over their parts: a plain field costs one look-up where the
// attribute is null, and a body whose keys are all met needs no look-up for the
// keys that are absent.

// walk is how an object goes through its parts, in order of declaration.
type walk struct {
	steps []step
	// keys are the top-level keys of the parts that are no plain fields.
	keys []string
	// counts says that the keys of every part are known, so that met ones can be
	// counted; keeps that every part can tell whether it keeps the prior value.
	counts, keeps bool
}

// step is a plain field or, where field is nil, any other part.
type step struct {
	part  Part
	keeps keeper

	field     *FieldPart
	name, key string
	same      samer
	filled    bool // decoding never gives null
}

// newWalk prepares the walk over parts. A field is plain when null in Terraform
// asks for nothing and no other part uses its key.
func newWalk(parts []Part) walk {
	w := walk{steps: make([]step, len(parts)), counts: true, keeps: true}
	uses := map[string]int{}
	claimed := make([][]string, len(parts))
	for i, p := range parts {
		keys, all := claims(p)
		claimed[i], w.counts = keys, w.counts && all
		for _, k := range keys {
			uses[k]++
		}
	}
	for i, p := range parts {
		s := &w.steps[i]
		s.part = p
		if f, ok := p.(*FieldPart); ok && f.plain() && uses[f.path[0]] == 1 {
			s.field, s.name, s.key, s.same = f, f.attr.Name, f.path[0], samerOf(f.kind)
			s.filled = f.readsAs != nil && f.attr.Mode != Opt
			continue
		}
		k, ok := p.(keeper)
		s.keeps, w.keeps = k, w.keeps && ok
		w.keys = append(w.keys, claimed[i]...)
	}
	slices.Sort(w.keys)
	w.keys = slices.Compact(w.keys)
	return w
}

// plain reports whether a null attribute and an absent key mean each other and
// nothing else.
func (f *FieldPart) plain() bool {
	return f.broken == nil && len(f.path) == 1 && !f.always && !f.clear && f.only == nil && !f.attr.Unread
}

// claims lists the top-level keys a part reads or writes, each once; all is
// false for parts that need not tell.
func claims(p Part) (keys []string, all bool) {
	all = true
	inside := func(parts []Part) {
		for _, q := range parts {
			more, known := claims(q)
			keys, all = append(keys, more...), all && known
		}
	}
	paths := p.Keys()
	switch p := p.(type) {
	case *FieldPart, *constPart, *ownedPart, *ByTypePart, *ByValuePart, *SettingPart, flagPart, countRule, needsRule, funcRule:
	case *AlternatesPart:
		for _, f := range p.fields {
			paths = append(paths, f.path)
		}
	case *UnionPart:
		if len(p.in) == 0 {
			for _, c := range p.cases {
				inside(c.of.parts)
			}
		}
	case *InlinePart:
		inside(p.of.parts)
	default:
		all = false
	}
	for _, path := range paths {
		keys = append(keys, path[0])
	}
	slices.Sort(keys)
	return slices.Compact(keys), all
}

func (o *ObjectKind) put(r *Run, from Obj, to Body) error {
	var c collected
	for i := range o.walk.steps {
		s := &o.walk.steps[i]
		var err error
		if s.field == nil {
			err = s.part.Put(r, from, to)
		} else if v := from[s.name]; !v.IsNull() {
			err = s.field.send(r, v, to)
		}
		if err != nil {
			c.add(err, nil)
		}
	}
	return c.err()
}

// keepsAll reports whether decoding would give what prior holds. own is the
// number of keys in the body that the caller knows to be none of the parts'.
func (o *ObjectKind) keepsAll(r *Run, body Body, prior Obj, own int) bool {
	if !o.walk.keeps {
		return false
	}
	met := own
	for i := range o.walk.steps {
		s := &o.walk.steps[i]
		if s.field == nil {
			if !s.keeps.keeps(r, body, prior) {
				return false
			}
			continue
		}
		was := prior[s.name]
		if was.IsNull() {
			if s.filled || was.Type() == nil {
				return false
			}
			continue
		}
		j := body[s.key]
		if j == nil || !was.IsKnown() || !s.same.same(r, was, j) {
			return false
		}
		met++
	}
	return o.allMet(body, met) || o.nullsStay(body, prior)
}

// allMet reports whether the keys of the body are the ones met and those of the
// parts that have looked themselves.
func (o *ObjectKind) allMet(body Body, met int) bool {
	for _, k := range o.walk.keys {
		if _, there := body[k]; there {
			met++
		}
	}
	return o.walk.counts && met == len(body)
}

// nullsStay reports whether the body has nothing where prior has null.
func (o *ObjectKind) nullsStay(body Body, prior Obj) bool {
	for i := range o.walk.steps {
		s := &o.walk.steps[i]
		if s.field != nil && body[s.key] != nil && prior[s.name].IsNull() {
			return false
		}
	}
	return true
}
