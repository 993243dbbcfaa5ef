package propschema

import (
	"strings"
	"testing"
	"time"
)

func TestPatternsAreECMAScriptSearchedAnywhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`b`, "abc", true},
		{`^b`, "abc", false},
		{`^a$`, "a", true},
		{`^a$`, "a\n", false},
		{`[$]$`, "a$", true},
		{`\$$`, "a$", true},
		{`a(?!b)`, "ab", false},
		{`a(?!b)`, "ac", true},
		{`(?<=a)b`, "ab", true},
		{`(a)\1`, "aa", true},
		{`(?<x>a)\k<x>`, "aa", true},
		{`^\d+$`, "٣", false},
		{`^\w+$`, "é", false},
		{`^\p{L}+$`, "Élan", true},
		{`^\p{Lu}`, "É", true},
		{`^\p{Letter}+$`, "é", true},
		{`^\p{Script=Greek}+$`, "αβγ", true},
		{`^\p{sc=Cyrillic}$`, "ж", true},
		{`^\P{L}+$`, "12", true},
		{`^[\p{L}\d_-]+$`, "é_1-", true},
		{`^.$`, "😀", true},
		{`^\u{1F600}$`, "😀", true},
		{`^\u00e9$`, "é", true},
		{`^[^a]$`, "b", true},
		{`\s`, "\u00a0", true},
		{`^a.c$`, "a\nc", false},
		{`a{2,3}`, "aa", true},
		{`^[]$`, "", false},
		{`x*`, "", true},
		{`^(?:a|b)+$`, "abba", true},
		{`^a\/b$`, "a/b", true},
		{`^[\w.+-]+@[\w-]+\.[\w.]+$`, "a.b@c.de", true},
	} {
		re, err := CompileRegexp(c.pattern)
		if err != nil {
			if c.want {
				t.Errorf("%s: %v", c.pattern, err)
			}
			continue
		}
		if got := re.MatchString(c.text); got != c.want {
			t.Errorf("%s on %q: %v", c.pattern, c.text, got)
		}
	}
	for _, bad := range []string{`(`, `[a`, `a**`, `\p{Nonsense}`, `(?<x`, strings.Repeat("a", regexpSource+1)} {
		if _, err := CompileRegexp(bad); err == nil {
			t.Errorf("%.20s compiles", bad)
		}
	}
}

func TestPatternsThatBacktrackEnd(t *testing.T) {
	t.Parallel()
	re, err := CompileRegexp(`^(a+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if re.MatchString(strings.Repeat("a", 40) + "!") {
		t.Error("it matches")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}
