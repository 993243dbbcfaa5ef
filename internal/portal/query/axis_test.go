package query_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

func TestIntervalsBeginWhenTheyDoInTheirZone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone, unit, from, to string
		want                 []string
	}{
		"hours": {"UTC", "hour", "2024-01-01T00:30:00Z", "2024-01-01T02:00:00Z", []string{"2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z"}},
		"hours of half an hour's offset": {"Asia/Kolkata", "hour", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", []string{
			"2024-01-01T05:00:00+05:30", "2024-01-01T06:00:00+05:30"}},
		"the hour that is skipped in spring": {"Europe/Berlin", "hour", "2024-03-31T00:00:00Z", "2024-03-31T02:00:00Z", []string{
			"2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00", "2024-03-31T04:00:00+02:00"}},
		"the hour that comes twice in autumn": {"Europe/Berlin", "hour", "2024-10-27T00:00:00Z", "2024-10-27T02:00:00Z", []string{
			"2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00", "2024-10-27T03:00:00+01:00"}},
		"a zone that changes by half an hour": {"Australia/Lord_Howe", "hour", "2024-04-06T14:00:00Z", "2024-04-06T16:30:00Z", []string{
			"2024-04-07T01:00:00+11:00", "2024-04-07T01:30:00+10:30", "2024-04-07T02:00:00+10:30", "2024-04-07T03:00:00+10:30"}},
		"days of 23 and 25 hours": {"America/New_York", "day", "2024-03-09T12:00:00Z", "2024-03-11T12:00:00Z", []string{
			"2024-03-09T00:00:00-05:00", "2024-03-10T00:00:00-05:00", "2024-03-11T00:00:00-04:00"}},
		"a day without a midnight": {"America/Sao_Paulo", "day", "2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z", []string{
			"2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		"another one": {"Africa/Cairo", "day", "2024-04-25T12:00:00Z", "2024-04-27T12:00:00Z", []string{
			"2024-04-25T00:00:00+02:00", "2024-04-26T01:00:00+03:00", "2024-04-27T00:00:00+03:00"}},
		"a day that begins where the clock goes back": {"America/Havana", "day", "2024-11-02T12:00:00Z", "2024-11-04T12:00:00Z", []string{
			"2024-11-02T00:00:00-04:00", "2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00"}},
		"a day that does not exist": {"Pacific/Apia", "day", "2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z", []string{
			"2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"}},
		"weeks begin on Monday": {"UTC", "isoWeek", "2024-01-07T23:59:59Z", "2024-01-15T00:00:00Z", []string{
			"2024-01-01T00:00:00Z", "2024-01-08T00:00:00Z", "2024-01-15T00:00:00Z"}},
		"months": {"Asia/Tokyo", "month", "2023-12-31T15:00:00Z", "2024-02-29T15:00:00Z", []string{
			"2024-01-01T00:00:00+09:00", "2024-02-01T00:00:00+09:00", "2024-03-01T00:00:00+09:00"}},
		"quarters": {"UTC", "quarter", "2023-12-31T00:00:00Z", "2024-07-01T00:00:00Z", []string{
			"2023-10-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"}},
	} {
		zone, ok := query.Zone(c.zone)
		if !ok {
			t.Fatalf("no zone %s", c.zone)
		}
		from, to := moment(t, c.from), moment(t, c.to)
		axis := query.NewAxis(from, to, c.unit, zone)
		var got []string
		for i, start := range axis.Starts {
			got = append(got, start.Format(time.RFC3339))
			for _, at := range []time.Time{start, axis.End(i)} {
				if at.Before(from) {
					at = from
				}
				if n, ok := axis.Index(at); !ok || n != i {
					t.Errorf("%s: %v lies in interval %d, want %d", name, at, n, i)
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, at := range []time.Time{from.Add(-time.Nanosecond), to.Add(time.Nanosecond)} {
			if n, ok := axis.Index(at); ok {
				t.Errorf("%s: %v lies in interval %d, but it is outside", name, at, n)
			}
		}
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestZonesAreThoseOfTheWorldAndNotTheMachines(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"UTC": true, "Europe/Berlin": true, "America/Argentina/ComodRivadavia": true,
		"": false, "Local": false, "Mars/Olympus": false, "../etc/passwd": false,
	} {
		if _, ok := query.Zone(name); ok != want {
			t.Errorf("%q is a zone: %v, want %v", name, ok, want)
		}
	}
}
