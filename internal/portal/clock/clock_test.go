package clock_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
)

var start = time.Date(2024, 2, 29, 23, 59, 59, 999_999_999, time.UTC)

func TestAdvanceFiresTimersInOrderOfTheirTime(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, name+" "+c.Now().Sub(start).String()) }
	}
	c.AfterFunc(3*time.Second, note("third"))
	c.AfterFunc(time.Second, note("first"))
	c.AfterFunc(2*time.Second, func() {
		note("second")()
		c.AfterFunc(time.Millisecond, note("started on the way"))
	})
	c.AfterFunc(2*time.Second, note("second, made later"))
	stopped := c.AfterFunc(time.Second, note("stopped"))
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop must report true once")
	}
	c.AfterFunc(time.Hour, note("too late"))
	c.Advance(3 * time.Second)
	want := []string{"first 1s", "second 2s", "second, made later 2s", "started on the way 2.001s", "third 3s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := c.Now().Sub(start); got != 3*time.Second {
		t.Errorf("clock stands at %v", got)
	}
	if got := c.Pending(); got != 1 {
		t.Errorf("%d timers pending, want 1", got)
	}
}

func TestChannelTimersCarryTheTimeTheyWereSetFor(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	timer, after := c.NewTimer(time.Minute), c.After(2*time.Minute)
	select {
	case <-timer.C():
		t.Fatal("fired before its time")
	default:
	}
	c.Advance(time.Hour)
	if got := (<-timer.C()).Sub(start); got != time.Minute {
		t.Errorf("timer fired for %v", got)
	}
	if got := (<-after).Sub(start); got != 2*time.Minute {
		t.Errorf("After fired for %v", got)
	}
	if timer.Reset(0) {
		t.Error("a fired timer is not pending")
	}
	<-timer.C()
}

func TestResetForgetsAnUnreadFiring(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	timer := c.NewTimer(time.Second)
	c.Advance(time.Second)
	timer.Reset(time.Second)
	select {
	case <-timer.C():
		t.Error("old firing was delivered after Reset")
	default:
	}
}

func TestRealClockIsUTCAndFires(t *testing.T) {
	t.Parallel()
	c := clock.Real()
	if c.Now().Location() != time.UTC {
		t.Error("want UTC")
	}
	done := make(chan struct{})
	c.AfterFunc(0, func() { close(done) })
	<-done
	<-c.After(0)
	<-c.NewTimer(0).C()
}

func TestStampHasMillisecondsAndIsCutNotRounded(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	for at, want := range map[time.Time]string{
		start: "2024-02-29T23:59:59.999Z",
		time.Date(2022, 4, 23, 19, 25, 43, 0, zone): "2022-04-23T18:25:43.000Z",
	} {
		if got := clock.Stamp(at); got != want {
			t.Errorf("Stamp = %s, want %s", got, want)
		}
	}
}
