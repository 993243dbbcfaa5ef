package identity

import (
	"strings"
	"testing"
)

// rows: id §3.1 2
func TestIdentifiersOfTeamsAreMadeOfTheirNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"My Team": "my_team", "A\tB  C": "a_b__c", "R&D (EU)": "rd_eu", "Zürich": "zürich", "a@b.c+d:e=f-g_h": "a@b.c+d:e=f-g_h",
		`x\y`: `x\y`, "!!!": "team", ".": "team", "..": "team", "...": "...", "日本 語": "日本_語", "١٢": "team", "İ": "i",
		strings.Repeat("é", 1500): strings.Repeat("é", 1000),
	} {
		if got := teamSlug(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestATextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{"äö": cut("äöü", 2), "äöü": cut("äöü", 3), "": cut("", 2)} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
