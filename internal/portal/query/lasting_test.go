package query_test

import (
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// Within the period that is announced for an outcome, every moment must have it;
// and the period must end somewhere when the outcome does.
func TestAnOutcomeLastsAsLongAsAnnounced(t *testing.T) {
	t.Parallel()
	rules := []string{`{"property":"date","operator":"isExpired"}`, `{"property":"date","operator":"isNotExpired"}`}
	for _, preset := range []string{"today", "tomorrow", "yesterday", "lastDay", "lastWeek", "nextDay", "nextWeek"} {
		rules = append(rules,
			`{"property":"date","operator":"between","value":{"preset":"`+preset+`"}}`,
			`{"property":"date","operator":"notBetween","value":{"preset":"`+preset+`"}}`,
			`{"propertySchema":{"type":"string","format":"date-time"},"operator":"=","value":{"preset":"`+preset+`"}}`)
	}
	for _, text := range rules {
		raw, err := query.Parse(decode(t, rule(text)), query.Options{Scope: query.CatalogWide})
		if err != nil {
			continue // not every shape of the test is one of the grammar
		}
		if !raw.Timed() || !raw.Steady() {
			t.Errorf("%s: timed %v, steady %v", text, raw.Timed(), raw.Steady())
		}
		for at := -9 * 24; at <= 9*24; at += 6 {
			e := entity{blueprint: "b", id: "e", values: jsonv.Object{"date": now.Add(time.Duration(at) * time.Hour).Format(time.RFC3339)}, fields: fieldKinds}
			outcome := func(when time.Time) bool { return raw.Match(&query.Env{Now: when}, e) }
			want := outcome(now)
			p := raw.Lasts(&query.Env{Now: now}, e)
			if p.From.After(now) || !p.Through.IsZero() && p.Through.Before(now) {
				t.Fatalf("%s at %dh: now is not within %v", text, at, p)
			}
			for h := -20 * 24; h <= 20*24; h += 5 {
				when := now.Add(time.Duration(h) * time.Hour)
				for _, when := range []time.Time{when, p.From, p.Through} {
					if when.IsZero() || when.Before(p.From) || !p.Through.IsZero() && when.After(p.Through) {
						continue
					}
					if outcome(when) != want {
						t.Fatalf("%s at %dh: %v at %v, within %v", text, at, !want, when, p)
					}
				}
			}
		}
	}
}

func TestWhatRestsOnMoreThanTheCandidateIsNotSteady(t *testing.T) {
	t.Parallel()
	for text, steady := range map[string]bool{
		`{"property":"num","operator":"=","value":1}`:                                                              true,
		`{"property":{"path":["rel"]},"operator":"matchAny","value":"x"}`:                                          true,
		`{"property":{"path":["rel"],"fromBlueprint":"b"},"operator":"matchAny","value":"x"}`:                      false,
		`{"operator":"relatedTo","blueprint":"b","value":"x"}`:                                                     false,
		`{"property":"$team","operator":"in","value":["My Teams"]}`:                                                false,
		`{"property":"text","operator":"=","value":{"context":"user","property":"$identifier"}}`:                   false,
		`{"combinator":"or","rules":[{"operator":"relatedTo","blueprint":"b","value":"x"}]}`:                       false,
		`{"combinator":"or","rules":[{"property":"text","operator":"isEmpty"}]}`:                                   true,
		`{"property":{"context":"userTeams","property":"$identifier"},"operator":"containsAny","value":["a","b"]}`: false,
	} {
		q := parse(t, rule(text), query.CatalogWide)
		if q.Steady() != steady || q.Timed() {
			t.Errorf("%s: steady %v, timed %v", text, q.Steady(), q.Timed())
		}
	}
}
