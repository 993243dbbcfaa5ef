package lens

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Titles of findings; the same words the framework's validators use, since
// users' tests look for them.
const (
	titleValue       = "Invalid Attribute Value"
	titleMatch       = "Invalid Attribute Value Match"
	titleLength      = "Invalid Attribute Value Length"
	titleCombination = "Invalid Attribute Combination"
	titleJSON        = "Invalid JSON"
)

// Check is a condition on one known value.
type Check struct {
	Title string
	// Doc says what is allowed, as the end of a sentence; "" shows nothing.
	Doc     string
	Warning bool
	// Test returns what is wrong with v, or "".
	Test func(v tftypes.Value) string

	// What generators of test values need to know.
	Values   []string
	Min, Max *int64
	Pattern  *regexp.Regexp
	Unique   bool
}

func (c Check) run(at Path, v tftypes.Value) []Problem {
	if !Known(v) {
		return nil
	}
	detail := c.Test(v)
	if detail == "" {
		return nil
	}
	p := at.problem(c.Title, detail)
	if path := PathString(p.Path); path != "" {
		p.Detail = "Attribute " + path + ": " + detail
	}
	p.Warning = c.Warning
	return []Problem{p}
}

// OneOf allows the given texts only.
func OneOf(texts ...string) Check {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		if s == "" {
			s = `""` // which Markdown would not show
		}
		quoted[i] = "`" + s + "`"
	}
	return Check{
		Title: titleMatch, Doc: "one of " + strings.Join(quoted, ", "), Values: texts,
		Test: func(v tftypes.Value) string {
			got := AsText(v)
			for _, s := range texts {
				if s == got {
					return ""
				}
			}
			return fmt.Sprintf("want one of %q, got %q", texts, clip(got))
		},
	}
}

// Length bounds the characters of a text; most < 0 means no upper bound.
func Length(least, most int64) Check {
	return bounds(titleLength, "characters", least, most, func(v tftypes.Value) (int64, bool) {
		s, ok := asString(v)
		return int64(utf8.RuneCountInString(s)), ok
	})
}

// Size bounds the elements of a collection; most < 0 means no upper bound.
func Size(least, most int64) Check {
	return bounds(titleValue, "elements", least, most, func(v tftypes.Value) (int64, bool) {
		if _, ok := v.Type().(tftypes.Map); ok {
			return int64(len(AsObj(v))), true
		}
		return int64(len(AsList(v))), true
	})
}

func bounds(title, unit string, least, most int64, measure func(tftypes.Value) (int64, bool)) Check {
	doc := fmt.Sprintf("%d to %d %s", least, most, unit)
	switch {
	case most < 0:
		doc = fmt.Sprintf("at least %d %s", least, unit)
	case least == 0:
		doc = fmt.Sprintf("at most %d %s", most, unit)
	}
	c := Check{Title: title, Doc: doc, Min: &least}
	if most >= 0 {
		c.Max = &most
	}
	c.Test = func(v tftypes.Value) string {
		n, ok := measure(v)
		if !ok || n >= least && (most < 0 || n <= most) {
			return ""
		}
		return fmt.Sprintf("want %s, got %d", doc, n)
	}
	return c
}

// AtLeast bounds a number from below.
func AtLeast(least int64) Check {
	return Check{
		Title: titleValue, Doc: fmt.Sprintf("at least %d", least), Min: &least,
		Test: func(v tftypes.Value) string {
			if f, ok := asFloat(v); ok && f.Cmp(new(big.Float).SetInt64(least)) < 0 {
				return fmt.Sprintf("want at least %d, got %s", least, numberText(f))
			}
			return ""
		},
	}
}

// AtMost bounds a number from above.
func AtMost(most int64) Check {
	return Check{
		Title: titleValue, Doc: fmt.Sprintf("at most %d", most), Max: &most,
		Test: func(v tftypes.Value) string {
			if f, ok := asFloat(v); ok && f.Cmp(new(big.Float).SetInt64(most)) > 0 {
				return fmt.Sprintf("want at most %d, got %s", most, numberText(f))
			}
			return ""
		},
	}
}

// Match wants text that matches a pattern; say tells people what that is.
func Match(pattern *regexp.Regexp, say string) Check {
	return Check{
		Title: titleMatch, Doc: say, Pattern: pattern,
		Test: func(v tftypes.Value) string {
			if s, ok := asString(v); ok && !pattern.MatchString(s) {
				return fmt.Sprintf("want %s (%s), got %q", say, pattern, clip(s))
			}
			return ""
		},
	}
}

// Unique wants the elements of a list to differ.
func Unique() Check {
	return Check{
		Title: titleValue, Doc: "no element twice", Unique: true,
		Test: func(v tftypes.Value) string {
			seen := map[string]bool{}
			for _, e := range AsList(v) {
				if !e.IsFullyKnown() {
					continue
				}
				k := e.String()
				if seen[k] {
					return "this attribute contains duplicate values of " + shown(e)
				}
				seen[k] = true
			}
			return ""
		},
	}
}

// MustBeTrue refuses false, for flags that only say something when set.
func MustBeTrue() Check {
	return Check{
		Title: titleMatch, Doc: "`true` or left out", Values: []string{"true"},
		Test: func(v tftypes.Value) string {
			if !AsBool(v) {
				return "value must be true; leave the attribute out instead of false"
			}
			return ""
		},
	}
}

// Test is a check of one's own. It returns what is wrong, or "".
func Test(title, doc string, test func(v tftypes.Value) string) Check {
	return Check{Title: title, Doc: doc, Test: test}
}

// Warn turns a check into one that warns.
func Warn(c Check) Check {
	c.Warning = true
	return c
}
