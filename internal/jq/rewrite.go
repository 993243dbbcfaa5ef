package jq

import (
	"errors"
	"strings"

	"github.com/itchyny/gojq"
)

// rewriter replaces, in a parsed program, what the interpreter would do on its
// own and without measure: operators become primitives, assignments the
// functions of the prelude, computed indexes are guarded. It notes every function
// that is called.
type rewriter struct {
	calls map[string]bool
	src   string
	locs  int
	err   error
}

// nestingMax bounds the nesting of programs, as compiling recurses with it.
const nestingMax = 1000

var operatorPrimitives = map[gojq.Operator]string{
	gojq.OpAdd: "_p_add", gojq.OpSub: "_p_subtract", gojq.OpMul: "_p_multiply", gojq.OpDiv: "_p_divide",
	gojq.OpEq: "_p_eq", gojq.OpNe: "_p_ne", gojq.OpLt: "_p_lt", gojq.OpLe: "_p_le", gojq.OpGt: "_p_gt", gojq.OpGe: "_p_ge",
}

var updatePrimitives = map[gojq.Operator]string{
	gojq.OpUpdateAdd: "_p_add", gojq.OpUpdateSub: "_p_subtract", gojq.OpUpdateMul: "_p_multiply",
	gojq.OpUpdateDiv: "_p_divide", gojq.OpUpdateMod: "_modulo", gojq.OpUpdateAlt: "_alternative",
}

func (r *rewriter) call(name string, args ...*gojq.Query) *gojq.Term {
	r.calls[signature(name, len(args))] = true
	return &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}
}

func (r *rewriter) query(q *gojq.Query, depth int) {
	if q == nil || r.err != nil {
		return
	}
	if depth > nestingMax {
		r.err = errors.New("the program is nested too deeply")
		return
	}
	if len(q.Imports) > 0 {
		r.err = errors.New("modules are not available")
		return
	}
	for _, def := range q.FuncDefs {
		def.Name = r.name(def.Name)
		for i := range def.Args {
			def.Args[i] = r.name(def.Args[i])
		}
		r.query(def.Body, depth+1)
	}
	r.term(q.Term, depth+1)
	r.query(q.Left, depth+1)
	r.query(q.Right, depth+1)
	r.patterns(q.Patterns, depth+1)
	if q.Term != nil {
		return
	}
	replace := func(t *gojq.Term) { q.Term, q.Left, q.Right, q.Op = t, nil, nil, 0 }
	if name, ok := operatorPrimitives[q.Op]; ok {
		replace(r.call(name, q.Left, q.Right))
		return
	}
	switch q.Op {
	case gojq.OpAssign:
		replace(r.call("_assign", q.Left, q.Right))
	case gojq.OpModify:
		replace(r.call("_modify", q.Left, q.Right))
	}
	if name, ok := updatePrimitives[q.Op]; ok {
		// left op= right is right as $x | left |= (. op $x); the name of the
		// variable cannot be written in a program.
		const x = "$%x"
		operand := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: x}}}
		update := &gojq.Query{Term: r.call(name, &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}, operand)}
		modify := &gojq.Query{Term: r.call("_modify", q.Left, update)}
		*q = gojq.Query{FuncDefs: q.FuncDefs, Left: q.Right, Op: gojq.OpPipe, Patterns: []*gojq.Pattern{{Name: x}}, Right: modify}
	}
}

// name keeps programs from the functions that are not theirs: those of the
// interpreter and the prelude that begin with "_" work without measure or are
// internal. A program's own functions of such names get a name apart.
func (r *rewriter) name(name string) string {
	if r.src != "" && strings.HasPrefix(name, "_") {
		return "_own" + name
	}
	return name
}

func (r *rewriter) patterns(patterns []*gojq.Pattern, depth int) {
	for _, p := range patterns {
		if p == nil {
			continue
		}
		if depth > nestingMax {
			r.err = errors.New("the program is nested too deeply")
			return
		}
		r.patterns(p.Array, depth+1)
		for _, o := range p.Object {
			r.query(o.KeyQuery, depth+1)
			if key := r.text(o.KeyString, depth+1); key != nil {
				o.KeyString, o.KeyQuery = nil, key
			}
			o.KeyQuery = r.guarded(o.KeyQuery)
			if o.Val != nil {
				r.patterns([]*gojq.Pattern{o.Val}, depth+1)
			}
		}
	}
}

// joined turns a text with parts that are computed into additions, so that its
// growth is measured; nil when the text is constant. Each part goes through the
// function, tostring or that of a format.
func (r *rewriter) joined(s *gojq.String, function *gojq.Term, depth int) *gojq.Query {
	if s == nil || s.Queries == nil {
		return nil
	}
	var sum *gojq.Query
	for _, part := range s.Queries {
		if part.Term == nil || part.Term.Str == nil {
			r.query(part, depth+1)
			part = &gojq.Query{Left: part, Op: gojq.OpPipe, Right: &gojq.Query{Term: function}}
		}
		if sum == nil {
			sum = part
			continue
		}
		sum = &gojq.Query{Term: r.call("_p_add", sum, part)}
	}
	return sum
}

func (r *rewriter) text(s *gojq.String, depth int) *gojq.Query {
	if s == nil || s.Queries == nil {
		return nil
	}
	return r.joined(s, r.call("_p_tostring"), depth)
}

// guarded makes a computed index or key go through a check: an array as index
// means a search for it, which can be long.
func (r *rewriter) guarded(q *gojq.Query) *gojq.Query {
	if q == nil || constant(q) {
		return q
	}
	return &gojq.Query{Left: q, Op: gojq.OpPipe, Right: &gojq.Query{Term: r.call("_p_key")}}
}

func constant(q *gojq.Query) bool {
	t := q.Term
	if t == nil || len(t.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return false
	}
	switch t.Type {
	case gojq.TermTypeNumber:
		return true
	case gojq.TermTypeUnary:
		return t.Unary.Term.Type == gojq.TermTypeNumber && len(t.Unary.Term.SuffixList) == 0
	case gojq.TermTypeString:
		return t.Str.Queries == nil
	}
	return false
}

func (r *rewriter) index(i *gojq.Index, depth int) {
	if i == nil {
		return
	}
	if key := r.text(i.Str, depth); key != nil {
		i.Str, i.Start = nil, key
		return
	}
	r.query(i.Start, depth)
	r.query(i.End, depth)
	if !i.IsSlice {
		i.Start = r.guarded(i.Start)
	}
}

func (r *rewriter) term(t *gojq.Term, depth int) {
	if t == nil || r.err != nil {
		return
	}
	if depth > nestingMax {
		r.err = errors.New("the program is nested too deeply")
		return
	}
	r.index(t.Index, depth)
	r.query(t.Query, depth)
	r.function(t, depth)
	r.format(t, depth)
	if t.Object != nil {
		for _, kv := range t.Object.KeyVals {
			r.query(kv.KeyQuery, depth)
			r.query(kv.Val, depth)
			r.key(kv, depth)
			if kv.Key == "$__loc__" && kv.Val == nil {
				*kv = gojq.ObjectKeyVal{Key: "__loc__", Val: &gojq.Query{Term: r.location()}}
			}
		}
	}
	if t.Array != nil {
		r.query(t.Array.Query, depth)
	}
	if t.Unary != nil {
		r.term(t.Unary.Term, depth+1)
	}
	r.control(t, depth)
	for _, s := range t.SuffixList {
		r.index(s.Index, depth)
	}
}

func (r *rewriter) control(t *gojq.Term, depth int) {
	if t.If != nil {
		r.query(t.If.Cond, depth)
		r.query(t.If.Then, depth)
		for _, e := range t.If.Elif {
			r.query(e.Cond, depth)
			r.query(e.Then, depth)
		}
		r.query(t.If.Else, depth)
	}
	if t.Try != nil {
		r.query(t.Try.Body, depth)
		r.query(t.Try.Catch, depth)
	}
	if t.Reduce != nil {
		r.query(t.Reduce.Query, depth)
		r.patterns(t.Reduce.Patterns, depth)
		r.query(t.Reduce.Start, depth)
		r.query(t.Reduce.Update, depth)
	}
	if t.Foreach != nil {
		r.query(t.Foreach.Query, depth)
		r.patterns(t.Foreach.Patterns, depth)
		r.query(t.Foreach.Start, depth)
		r.query(t.Foreach.Update, depth)
		r.query(t.Foreach.Extract, depth)
	}
	if t.Label != nil {
		r.query(t.Label.Body, depth)
	}
}

func (r *rewriter) function(t *gojq.Term, depth int) {
	if t.Func == nil {
		return
	}
	if t.Func.Name == "$__loc__" {
		loc := r.location()
		t.Type, t.Object, t.Func = loc.Type, loc.Object, nil
		return
	}
	for _, arg := range t.Func.Args {
		r.query(arg, depth+1)
	}
	t.Func.Name = r.name(t.Func.Name)
	r.calls[signature(t.Func.Name, len(t.Func.Args))] = true
	// The path of getpath holds keys; the call itself must stay, it can be part
	// of a path.
	if t.Func.Name == "getpath" && len(t.Func.Args) == 1 {
		t.Func.Args[0] = r.guardedPath(t.Func.Args[0])
	}
}

func (r *rewriter) guardedPath(q *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: q, Op: gojq.OpPipe, Right: &gojq.Query{Term: r.call("_p_path")}}
}

// formats are the functions that the interpreter calls for formats.
var formats = map[string]string{
	"@text": "tostring", "@json": "tojson", "@html": "_tohtml", "@uri": "_touri", "@urid": "_tourid", "@csv": "_tocsv",
	"@tsv": "_totsv", "@sh": "_tosh", "@base64": "_tobase64", "@base64d": "_tobase64d",
}

// format rewrites texts and formats.
func (r *rewriter) format(t *gojq.Term, depth int) {
	var sum *gojq.Query
	if t.Format == "" {
		sum = r.text(t.Str, depth)
	} else if f, ok := formats[t.Format]; ok {
		sum = r.joined(t.Str, r.call(f), depth)
	} else {
		name := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeString, Str: &gojq.String{Str: t.Format[1:]}}}
		sum = r.joined(t.Str, r.call("format", name), depth)
	}
	if sum != nil {
		t.Type, t.Str, t.Format, t.Query = gojq.TermTypeQuery, nil, "", sum
	}
}

// key rewrites a key of an object that is a text with computed parts.
func (r *rewriter) key(kv *gojq.ObjectKeyVal, depth int) {
	key := r.text(kv.KeyString, depth)
	if key == nil {
		return
	}
	if kv.Val == nil {
		// {"a\(1)"} is {("a\(1)"): .["a\(1)"]}.
		kv.Val = &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIndex, Index: &gojq.Index{Start: key}}}
	}
	kv.KeyString, kv.KeyQuery = nil, key
}

// location is the value of $__loc__. The tree has no positions, so the text is
// searched: the n-th use stands at the n-th place.
func (r *rewriter) location() *gojq.Term {
	at := 0
	for i := 0; i <= r.locs; i++ {
		next := strings.Index(r.src[at:], "$__loc__")
		if next < 0 {
			break
		}
		at += next + 1
	}
	r.locs++
	line := strings.Count(r.src[:at], "\n") + 1
	return &gojq.Term{Type: gojq.TermTypeObject, Object: &gojq.Object{KeyVals: []*gojq.ObjectKeyVal{
		{Key: "file", Val: &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeString, Str: &gojq.String{Str: "<top-level>"}}}},
		{Key: "line", Val: &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeNumber, Number: number(line).String()}}},
	}}}
}
