package propschema

import (
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// Regexp is an expression in the language of JSON Schema patterns, ECMA-262 with
// Unicode. A search that takes too long, as backtracking can, counts as no match.
type Regexp struct {
	source string
	re     *regexp2.Regexp
}

const (
	regexpTime   = 100 * time.Millisecond
	regexpSource = 16 << 10
)

// CompileRegexp compiles source.
func CompileRegexp(source string) (*Regexp, error) {
	if len(source) > regexpSource {
		return nil, errLongPattern
	}
	re, err := regexp2.Compile(ecma(source), regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = regexpTime
	return &Regexp{source, re}, nil
}

// MatchString reports whether the expression matches anywhere in s.
func (r *Regexp) MatchString(s string) bool {
	ok, err := r.re.MatchString(s)
	return ok && err == nil
}

// mostSlow is how many searches of one check may take too long.
const mostSlow = 3

// Patience bounds the searches of a check together: values are anybody's, and of those
// that are long in the search there may be thousands in a body. The zero value is ready.
type Patience struct{ slow int }

// Match is [Regexp.MatchString], and false without a search once too many took too long.
func (p *Patience) Match(r *Regexp, s string) bool {
	if p.slow >= mostSlow {
		return false
	}
	ok, err := r.re.MatchString(s)
	if err != nil {
		p.slow++
	}
	return ok && err == nil
}

func (r *Regexp) String() string { return r.source }

// ecma spells what the engine reads differently from ECMA-262: $ does not match
// before a last line end, and Unicode properties have long names.
func ecma(source string) string {
	if !strings.ContainsAny(source, `$\`) {
		return source
	}
	var b strings.Builder
	inClass := false
	for i := 0; i < len(source); i++ {
		rest := source[i:]
		switch {
		case rest[0] == '\\':
			if m := property.FindStringSubmatch(rest); m != nil {
				name := m[2]
				if short, ok := categories[name]; ok {
					name = short
				}
				b.WriteString(`\` + m[1] + `{` + name + `}`)
				i += len(m[0]) - 1
				continue
			}
			b.WriteString(rest[:min(2, len(rest))])
			i++
			continue
		case rest[0] == '[':
			inClass = true
		case rest[0] == ']':
			inClass = false
		case rest[0] == '$' && !inClass:
			b.WriteString(`(?![\s\S])`)
			continue
		}
		b.WriteByte(rest[0])
	}
	return b.String()
}

var property = regexp.MustCompile(`^\\([pP])\{(?:(?:General_Category|gc|Script|sc|Script_Extensions|scx)=)?([A-Za-z_]+)\}`)

var categories = map[string]string{
	"Letter": "L", "Cased_Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo",
	"Mark": "M", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me",
	"Number": "N", "Decimal_Number": "Nd", "Letter_Number": "Nl", "Other_Number": "No",
	"Punctuation": "P", "Symbol": "S", "Separator": "Z", "Space_Separator": "Zs", "Other": "C", "Control": "Cc",
	"Alphabetic": "L", "Alpha": "L", "Uppercase": "Lu", "Lowercase": "Ll",
}

type constError string

func (e constError) Error() string { return string(e) }

const errLongPattern = constError("longer than 16 KiB")
