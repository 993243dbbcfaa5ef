package ident

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Email is an e-mail address as it is kept: in lower case, since addresses are
// compared in any letter case (reference/identity.md §2.1). Two addresses belong to
// one user if and only if this makes them equal; nothing looser may be asked where
// rights depend on the answer. The few letters beyond ASCII that have an ASCII
// letter for their lower case, "İ" and the sign of the kelvin, stay what they are:
// whoever owns an address with one of them is not who owns the other.
func Email(address string) string {
	return strings.Map(func(r rune) rune {
		lower := unicode.ToLower(r)
		if lower < utf8.RuneSelf && r >= utf8.RuneSelf {
			return r
		}
		return lower
	}, address)
}

// SameEmail tells whether two addresses are those of one user. It is narrower than
// [strings.EqualFold], which takes "ſ" for "s".
func SameEmail(a, b string) bool { return Email(a) == Email(b) }
