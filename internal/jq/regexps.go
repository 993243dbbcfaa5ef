package jq

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// pattern is an expression with its flags.
type pattern struct{ source, flags string }

// matcher finds an expression. Expressions that Go's engine reads the same way as
// Oniguruma run in linear time; all others, with lookaround, back references and
// Unicode classes, backtrack and are stopped by time.
type matcher struct {
	linear    *regexp.Regexp
	full      *regexp2.Regexp
	global    bool
	skipEmpty bool
}

const (
	patternMax  = 16 << 10
	patternsMax = 64
	regexpTime  = 200 * time.Millisecond
	// matchesMax bounds the matches of one step.
	matchesMax = 1 << 17
)

func (m *meter) matcher(source, flags string) (*matcher, error) {
	key := pattern{source, flags}
	if x, ok := m.patterns[key]; ok {
		return x, nil
	}
	if len(source) > patternMax {
		return nil, errBig
	}
	if err := m.charge(1000 + 10*len(source)); err != nil {
		return nil, err
	}
	x, err := newMatcher(source, flags)
	if err != nil {
		return nil, err
	}
	if len(m.patterns) >= patternsMax {
		clear(m.patterns)
	}
	m.patterns[key] = x
	return x, nil
}

// newMatcher reads the flags of jq: g all matches, i ignore case, x extended
// (white space and comments), s single line (^ and $ at the ends of the text, as
// always here), n no empty matches, p dot matches line ends, l longest.
func newMatcher(source, flags string) (*matcher, error) {
	x := &matcher{}
	options := regexp2.None
	prefix := ""
	for _, f := range flags {
		switch f {
		case 'g':
			x.global = true
		case 'n':
			x.skipEmpty = true
		case 'i':
			options |= regexp2.IgnoreCase
			prefix += "i"
		case 'x':
			options |= regexp2.IgnorePatternWhitespace
		case 'p':
			options |= regexp2.Singleline
			prefix += "s"
		case 's', 'l':
		default:
			return nil, fmt.Errorf("%s is not a valid modifier string", flags)
		}
	}
	translated := translate(source)
	full, err := regexp2.Compile(translated, options)
	if err != nil {
		return nil, fmt.Errorf("%s (at offset 0) is not a valid regex: %s", source, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	full.MatchTimeout = regexpTime
	x.full = full
	if options&regexp2.IgnorePatternWhitespace == 0 && !strings.Contains(flags, "l") {
		if prefix != "" {
			prefix = "(?" + prefix + ")"
		}
		if re, err := regexp.Compile(prefix + source); err == nil {
			x.linear = re
		}
	}
	return x, nil
}

// translate writes what Oniguruma has of its own in the words of regexp2: \h is a
// hexadecimal digit, and brackets hold POSIX classes.
func translate(source string) string {
	if !strings.Contains(source, `\h`) && !strings.Contains(source, `\H`) && !strings.Contains(source, "[:") && !strings.Contains(source, "(?P<") {
		return source
	}
	var b strings.Builder
	class := 0
	for i := 0; i < len(source); i++ {
		rest := source[i:]
		switch {
		case strings.HasPrefix(rest, `\h`) && class > 0:
			b.WriteString("0-9a-fA-F")
			i++
		case strings.HasPrefix(rest, `\h`):
			b.WriteString("[0-9a-fA-F]")
			i++
		case strings.HasPrefix(rest, `\H`) && class == 0:
			b.WriteString("[^0-9a-fA-F]")
			i++
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteString(rest[:2])
			i++
		case class > 0 && strings.HasPrefix(rest, "[:") && strings.Contains(rest, ":]"):
			name, _, _ := strings.Cut(rest[2:], ":]")
			set, ok := posix[name]
			if !ok {
				b.WriteByte('[')
				continue
			}
			b.WriteString(set)
			i += len(name) + 3
		case strings.HasPrefix(rest, "(?P<") && class == 0:
			b.WriteString("(?<")
			i += 3
		default:
			switch rest[0] {
			case '[':
				class++
			case ']':
				class = max(0, class-1)
			}
			b.WriteByte(rest[0])
		}
	}
	return b.String()
}

var posix = map[string]string{
	"alnum": `\p{L}\p{N}`, "alpha": `\p{L}`, "digit": `\d`, "lower": `\p{Ll}`, "upper": `\p{Lu}`, "space": `\s`,
	"punct": `\p{P}\p{S}`, "word": `\w`, "xdigit": "0-9a-fA-F", "blank": ` \t`, "cntrl": `\p{Cc}`,
}

// found is one match in code points.
type found struct {
	offset, length int
	text           string
	groups         []group
}

type group struct {
	name string
	ok   bool
	found
}

// all finds the first match, or all of them.
func (m *meter) all(x *matcher, text string, global bool) ([]found, error) {
	if err := m.charge(10 + len(text)); err != nil {
		return nil, err
	}
	if x.linear != nil && isASCII(text) && !strings.HasSuffix(text, "\n") {
		out, empty, err := m.linear(x, text, global)
		// Go leaves out an empty match right behind another, jq does not.
		if err != nil || !global || !empty {
			return out, err
		}
	}
	var out []found
	match, err := x.full.FindStringMatch(text)
	for ; match != nil && err == nil; match, err = x.full.FindNextMatch(match) {
		if match.Length == 0 && x.skipEmpty {
			continue
		}
		f := found{offset: match.Index, length: match.Length, text: match.String()}
		for _, g := range match.Groups()[1:] {
			one := group{ok: len(g.Captures) > 0, found: found{offset: g.Index, length: g.Length, text: g.String()}}
			if !isDigits(g.Name) {
				one.name = g.Name
			}
			f.groups = append(f.groups, one)
		}
		if len(out) == matchesMax {
			return nil, errBig
		}
		out = append(out, f)
		if !global {
			break
		}
		if err := m.charge(10 + len(f.groups)); err != nil {
			return nil, err
		}
	}
	if err != nil {
		// The engine's only error is that its time is over.
		if cerr := m.charge(workMax / 20); cerr != nil {
			return nil, cerr
		}
		return nil, errors.New("the regular expression takes too long")
	}
	return out, nil
}

func (m *meter) linear(x *matcher, text string, global bool) (out []found, empty bool, err error) {
	n := 1
	if global {
		n = matchesMax + 1
	}
	names := x.linear.SubexpNames()
	empty = x.linear.MatchString("")
	places := x.linear.FindAllStringSubmatchIndex(text, n)
	if len(places) > matchesMax {
		return nil, false, errBig
	}
	for _, at := range places {
		empty = empty || at[0] == at[1]
		if at[0] == at[1] && x.skipEmpty {
			continue
		}
		f := found{offset: at[0], length: at[1] - at[0], text: text[at[0]:at[1]]}
		for i := 1; i < len(names); i++ {
			g := group{name: names[i]}
			if from, to := at[2*i], at[2*i+1]; from >= 0 {
				g.ok = true
				g.found = found{offset: from, length: to - from, text: text[from:to]}
			}
			f.groups = append(f.groups, g)
		}
		out = append(out, f)
		if err := m.charge(10 + len(f.groups)); err != nil {
			return nil, false, err
		}
	}
	return out, empty, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
