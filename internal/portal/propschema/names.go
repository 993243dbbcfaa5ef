package propschema

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Grammar says which texts are names of one kind (reference/catalog.md §1.3).
type Grammar struct {
	// What names the kind in messages, e.g. "blueprint identifier".
	What string
	// Regex is the published expression, for messages.
	Regex string
	// Max is the longest name in code points; 0 is no limit.
	Max   int
	valid func(string) bool
}

// The grammars of reference/catalog.md §1.3.
var (
	BlueprintID = Grammar{"blueprint identifier", `^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/-]+$`, 100, identifier(`@_.+:\/-`)}
	EntityID    = Grammar{"entity identifier", `^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/=-]+$`, 1000, identifier(`@_.+:\/=-`)}
	// Key names a property, relation, mirror, calculation or aggregation.
	Key        = Grammar{"key", `^[A-Za-z0-9@_=\\-]+$`, 100, key}
	MirrorPath = Grammar{"mirror path", `^(?:[A-Za-z0-9@_=\-$]+\.)+?(\w|\$|@|-)*?[^\.]+$`, 0, mirrorPath.MatchString}
)

// Fault says what is wrong with s as a name, "" when nothing is.
func (g Grammar) Fault(s string) string {
	switch {
	case s == "":
		return "must not be empty"
	case g.Max > 0 && len(s) > g.Max && utf8.RuneCountInString(s) > g.Max:
		return "must not be longer than " + itoa(g.Max) + " characters"
	case !g.valid(s):
		return `must match pattern "` + g.Regex + `"`
	}
	return ""
}

// Valid reports whether s is a name of this kind.
func (g Grammar) Valid(s string) bool { return g.Fault(s) == "" }

func identifier(signs string) func(string) bool {
	return func(s string) bool {
		if s == "." || s == ".." || !utf8.ValidString(s) {
			return false
		}
		for _, r := range s {
			if !asciiAlnum(r) && !strings.ContainsRune(signs, r) && (r < utf8.RuneSelf || !unicode.IsLetter(r)) {
				return false
			}
		}
		return s != ""
	}
}

func key(s string) bool {
	for _, r := range s {
		if !asciiAlnum(r) && !strings.ContainsRune(`@_=\-`, r) {
			return false
		}
	}
	return s != ""
}

func asciiAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

var mirrorPath = regexp.MustCompile(`^(?:[A-Za-z0-9@_=\-$]+\.)+?(?:\w|\$|@|-)*?[^.]+$`)
