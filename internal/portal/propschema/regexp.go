package propschema

import (
	"time"

	"github.com/dlclark/regexp2"
)

// Regexp is an expression in the language of JSON Schema patterns, ECMA-262 with
// Unicode. A search that takes too long, as backtracking can, counts as no match.
type Regexp struct{ re *regexp2.Regexp }

const (
	regexpTime   = 100 * time.Millisecond
	regexpSource = 16 << 10
)

// CompileRegexp compiles source.
func CompileRegexp(source string) (*Regexp, error) {
	if len(source) > regexpSource {
		return nil, errLongPattern
	}
	re, err := regexp2.Compile(source, regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = regexpTime
	return &Regexp{re}, nil
}

// MatchString reports whether the expression matches anywhere in s.
func (r *Regexp) MatchString(s string) bool {
	ok, err := r.re.MatchString(s)
	return ok && err == nil
}

func (r *Regexp) String() string { return r.re.String() }

type constError string

func (e constError) Error() string { return string(e) }

const errLongPattern = constError("longer than 16 KiB")
