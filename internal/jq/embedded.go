package jq

import "strings"

// CompileQuoted compiles a program whose strings may stand in single quotes: as
// [DoubleQuotes] reads them or, where that does not compile, with every single quote
// turned (reference/actions.md §3.3 T9, T9a).
func CompileQuoted(src string) (*Program, error) {
	src = DoubleQuotes(src)
	p, err := Compile(src)
	if err != nil && strings.Contains(src, "'") {
		return Compile(strings.ReplaceAll(src, "'", `"`))
	}
	return p, err
}

// Span is where a program stands in a text, without its braces.
type Span struct{ From, To int }

// Embedded finds the programs that stand between double braces in a text, or says why
// the braces do not fit (reference/actions.md §3.3 T1–T4). It does not compile them.
func Embedded(s string) (spans []Span, problem string) {
	// All that counts is ASCII, so bytes will do.
	const outside = -1
	from := outside
	var quote byte
	for i := 0; i < len(s); i++ {
		ch := s[i]
		double := i+1 < len(s) && s[i+1] == ch
		switch {
		case from != outside && ch == '\\':
			i++
		case quote != 0:
			if ch == quote {
				quote = 0
			}
		case from != outside && (ch == '"' || ch == '\''):
			quote = ch
		case ch == '{' && double && from != outside:
			return nil, `"{{" stands inside of another "{{"`
		case ch == '{' && double:
			from = i + 2
			i++
			// The third of three braces belongs to the expression: it opens nothing.
			if i+1 < len(s) && s[i+1] == '{' && (i+2 >= len(s) || s[i+2] != '{') {
				i++
			}
		case ch == '}' && double && from == outside:
			return nil, `"}}" has no "{{" before it`
		case ch == '}' && double:
			spans = append(spans, Span{from, i})
			from = outside
			i++
			// And the third of three closing ones closes nothing.
			if i+1 < len(s) && s[i+1] == '}' && (i+2 >= len(s) || s[i+2] != '}') {
				i++
			}
		}
	}
	if from != outside {
		return nil, `"{{" has no "}}" after it`
	}
	return spans, ""
}
