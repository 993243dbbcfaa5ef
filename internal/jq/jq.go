// Package jq runs jq programs that other people wrote: calculation properties,
// action templates, migration mappings (reference/catalog.md §2.8). A program
// sees its input and nothing else: no environment, no further inputs, no
// modules, no clock but the one it is given. Time, work and output of a run are
// bounded, so a hostile program costs its author a null and nobody else more.
// The package knows nothing of Port; what an error means is the caller's choice.
package jq

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
)

// Limits bounds one run. The zero value means the defaults of
// reference/catalog.md §2.8 K11.
type Limits struct {
	// Time is the longest a run may take; 0 is one second.
	Time time.Duration
	// OutputBytes is the largest result as JSON text; 0 is 1 MiB.
	OutputBytes int
	// Now is what the program's now sees. Without it now is an error.
	Now func() time.Time
	// Budget is what this and other runs may take together; nil is no bound.
	Budget *Budget
}

// Budget bounds the time of several runs, one after the other. Only runs that
// take a noticeable time count, so that however many simple ones never use it up; when it is, only simple ones run.
type Budget struct {
	left time.Duration
	cut  bool
}

// Exceeded tells whether a run was stopped because others had used up the budget: one
// with more to itself might have ended otherwise.
func (b *Budget) Exceeded() bool { return b.cut }

// Left is what has not been used up.
func (b *Budget) Left() time.Duration { return max(b.left, 0) }

// spend takes off what a run took, if it is noticeable.
func (b *Budget) spend(took time.Duration) {
	if took > freeTime {
		b.left -= took
	}
}

// NewBudget returns a budget of so much time.
func NewBudget(total time.Duration) *Budget { return &Budget{left: total} }

const (
	defaultTime        = time.Second
	defaultOutputBytes = 1 << 20
	maxSourceBytes     = 128 << 10
)

// ErrLimit is returned by [Program.First] when the run went over a limit of
// time, work, memory or output. No error of the program itself matches it.
var ErrLimit = errors.New("jq: over the limit")

// SyntaxError says why a program does not compile and where.
type SyntaxError struct {
	// Line and Column count from 1; 0 when the fault has no place, such as the
	// use of a function that does not exist.
	Line, Column int
	Message      string
}

// Compile returns the program for src. Programs are kept, so compiling the same
// text again is cheap. The error is a [*SyntaxError].
func Compile(src string) (*Program, error) { return shared.Compile(src) }

// Check reports whether src compiles; the error is a [*SyntaxError].
func Check(src string) error {
	_, err := shared.Compile(src)
	return err
}

// First runs the program and returns its first output. It reports false when the
// program ends without one. An error is the program's own (error, a wrong type),
// [ErrLimit], or ctx's. Input and result are JSON values as in package jsonv; the
// input is not changed and the result must not be.
func (p *Program) First(ctx context.Context, input any, limits Limits) (any, bool, error) {
	return p.first(ctx, input, limits)
}

// DoubleQuotes turns the single quotes that delimit strings into double quotes,
// as the catalog does before it compiles a calculation (reference/catalog.md §2.8
// K5): a quote is turned when it stands at the start or after white space and
// neither white space nor a double quote follows, or when it stands at the end or
// before white space and neither of these precedes it.
func DoubleQuotes(src string) string {
	if !strings.Contains(src, "'") {
		return src
	}
	text := []rune(src)
	at := func(i int) (r rune, space, edge bool) {
		if i < 0 || i >= len(text) {
			return 0, false, true
		}
		return text[i], unicode.IsSpace(text[i]), false
	}
	out := make([]rune, len(text))
	copy(out, text)
	for i, r := range text {
		if r != '\'' {
			continue
		}
		before, spaceBefore, start := at(i - 1)
		after, spaceAfter, end := at(i + 1)
		opens := (start || spaceBefore) && !spaceAfter && after != '"'
		closes := (end || spaceAfter) && !spaceBefore && before != '"'
		if opens || closes {
			out[i] = '"'
		}
	}
	return string(out)
}
