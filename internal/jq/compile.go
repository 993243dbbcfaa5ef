package jq

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

//go:embed prelude.jq
var preludeText string

// definition is one function of the prelude, rewritten, with what it calls.
type definition struct {
	def   *gojq.FuncDef
	calls map[string]bool
}

var prelude = sync.OnceValues(func() ([]definition, error) {
	q, err := gojq.Parse(preludeText + " .")
	if err != nil {
		return nil, err
	}
	defs := make([]definition, len(q.FuncDefs))
	for i, def := range q.FuncDefs {
		r := &rewriter{calls: map[string]bool{}}
		r.query(def.Body, 0)
		if r.err != nil {
			return nil, r.err
		}
		defs[i] = definition{def, r.calls}
	}
	return defs, nil
})

func signature(name string, args int) string { return fmt.Sprintf("%s/%d", name, args) }

func compile(src string, slots chan struct{}) (*Program, error) {
	if len(src) > maxSourceBytes {
		return nil, &SyntaxError{Message: fmt.Sprintf("the program is longer than %d KiB", maxSourceBytes>>10)}
	}
	q, err := parse(src)
	if err != nil {
		return nil, err
	}
	r := &rewriter{calls: map[string]bool{}, src: src}
	r.query(q, 0)
	if r.err != nil {
		return nil, &SyntaxError{Message: r.err.Error()}
	}
	defs, err := prelude()
	if err != nil {
		return nil, err
	}
	needed := closure(defs, r.calls)
	var before []*gojq.FuncDef
	for i, d := range defs {
		if needed[i] {
			before = append(before, d.def)
		}
	}
	q.FuncDefs = append(before, q.FuncDefs...)
	p := &Program{src: src, query: q, uses: r.calls, slots: slots}
	m, err := p.machine()
	if err != nil {
		return nil, &SyntaxError{Message: err.Error()}
	}
	p.idle.Put(m)
	return p, nil
}

// closure marks the definitions that calls reach and adds their own calls.
func closure(defs []definition, calls map[string]bool) []bool {
	needed := make([]bool, len(defs))
	for again := true; again; {
		again = false
		for i, d := range defs {
			if needed[i] || !calls[signature(d.def.Name, len(d.def.Args))] {
				continue
			}
			needed[i], again = true, true
			for call := range d.calls {
				calls[call] = true
			}
		}
	}
	return needed
}

func parse(src string) (q *gojq.Query, err error) {
	q, err = gojq.Parse(src)
	if err == nil {
		return q, nil
	}
	e := &SyntaxError{Message: err.Error()}
	var syntax *gojq.ParseError
	if errors.As(err, &syntax) {
		at := min(max(0, syntax.Offset-len(syntax.Token)), len(src))
		e.Line = strings.Count(src[:at], "\n") + 1
		e.Column = len([]rune(src[strings.LastIndexByte(src[:at], '\n')+1:at])) + 1
	}
	return nil, e
}
