package query_test

import (
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

func TestDaysBeginWhereTheirZoneBeginsThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ zone, now, preset, from, next string }{
		"midnight is skipped":                  {"America/Sao_Paulo", "2018-11-04T12:00:00Z", "today", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		"midnight is skipped today":            {"America/Sao_Paulo", "2018-11-04T12:00:00Z", "yesterday", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"},
		"midnight is skipped tomorrow":         {"Africa/Cairo", "2024-04-25T12:00:00Z", "tomorrow", "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"},
		"the day before a skipped midnight":    {"Africa/Cairo", "2024-04-25T12:00:00Z", "today", "2024-04-24T22:00:00Z", "2024-04-25T22:00:00Z"},
		"midnight comes twice, before":         {"America/Havana", "2024-11-03T12:00:00Z", "today", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"},
		"midnight comes twice, in the evening": {"America/Asuncion", "2024-03-23T12:00:00Z", "tomorrow", "2024-03-24T04:00:00Z", "2024-03-25T04:00:00Z"},
		"no such day before this one":          {"Pacific/Apia", "2011-12-31T00:00:00Z", "yesterday", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		"no such day after this one":           {"Pacific/Apia", "2011-12-29T22:00:00Z", "tomorrow", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
		"an ordinary day":                      {"Asia/Kathmandu", "2024-01-01T12:00:00Z", "today", "2023-12-31T18:15:00Z", "2024-01-01T18:15:00Z"},
		"in UTC":                               {"UTC", "2024-02-29T12:00:00Z", "tomorrow", "2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := func(text string) time.Time {
				v, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			zone, ok := query.Zone(c.zone)
			if !ok {
				t.Fatal("no such zone")
			}
			from, to, _ := query.Window(c.preset, at(c.now), zone)
			if want := at(c.from); !from.Equal(want) {
				t.Errorf("begins at %s, want %s", from.UTC(), want)
			}
			if want := at(c.next).Add(-time.Nanosecond); !to.Equal(want) {
				t.Errorf("ends at %s, want %s", to.UTC(), want)
			}
		})
	}
}
