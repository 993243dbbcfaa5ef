package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

var errWrong = refused()

func newTestAttempts(limit int) (*attempts, *clock.Fake) {
	c := clock.NewFake(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	return newAttempts(c, limit), c
}

func TestFailedLoginsWaitAndNobodyWaitsForEver(t *testing.T) {
	t.Parallel()
	a, c := newTestAttempts(3)
	who, elsewhere := attemptOf("a@x.io", "192.0.2.1"), attemptOf("a@x.io", "192.0.2.2")
	for range 3 {
		if err := a.admit(who); err != nil {
			t.Fatal(err)
		}
		a.note(who, errWrong)
	}
	c.Advance(20*time.Second + time.Millisecond)
	var f *fault.Fault
	if err := a.admit(attemptOf("A@X.io", "192.0.2.1")); !errors.As(err, &f) || f.Status != http.StatusTooManyRequests || fmt.Sprint(f.Details[RetryAfter]) != "40" {
		t.Errorf("%v", err)
	}
	if err := a.admit(elsewhere); err != nil {
		t.Errorf("somebody at another address waits too: %v", err)
	}
	c.Advance(40 * time.Second)
	if err := a.admit(who); err != nil {
		t.Errorf("the wait does not end: %v", err)
	}
}

func TestASuccessfulLoginWipesOutFailures(t *testing.T) {
	t.Parallel()
	a, _ := newTestAttempts(2)
	who := attemptOf("id", "")
	for range 5 {
		a.note(who, errWrong)
		a.note(who, nil)
		if err := a.admit(who); err != nil {
			t.Fatal(err)
		}
	}
	a.note(who, errors.New("the store is closed"))
	a.note(who, errWrong)
	if err := a.admit(who); err != nil {
		t.Errorf("what was no wrong secret counts: %v", err)
	}
}

func TestWhatIsRememberedOfFailuresIsBounded(t *testing.T) {
	t.Parallel()
	a, c := newTestAttempts(2)
	target := attemptOf("target", "")
	for n := range 3 * mostAttempts {
		if n%mostAttempts == 0 {
			a.note(target, errWrong)
		}
		a.note(attemptOf(fmt.Sprint(n), ""), errWrong)
	}
	if len(a.failed) != mostAttempts || a.oldest.Len() != mostAttempts {
		t.Errorf("%d and %d are remembered", len(a.failed), a.oldest.Len())
	}
	a.note(target, errWrong)
	for n := range mostAttempts - 1 {
		a.note(attemptOf(fmt.Sprint("more", n), ""), errWrong)
	}
	a.note(target, errWrong)
	if a.admit(target) == nil {
		t.Error("fewer failures of others than are remembered made one forgotten")
	}
	c.Advance(attemptWindow)
	if a.find(target) != nil || len(a.failed) != mostAttempts-1 {
		t.Error("failures that count no more are kept when they are looked at")
	}
}

func TestFailedLoginsAreNotRefusedUnlessToldTo(t *testing.T) {
	t.Parallel()
	a, _ := newTestAttempts(0)
	for range 100 {
		a.note(attemptOf("id", ""), errWrong)
	}
	if err := a.admit(attemptOf("id", "")); err != nil {
		t.Error(err)
	}
}

func TestFailedLoginsSlowDownOneAfterTheOther(t *testing.T) {
	t.Parallel()
	a, c := newTestAttempts(0)
	who := attemptOf("id", "192.0.2.1")
	for range patience {
		if err := a.slow(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		a.note(who, errWrong)
	}
	if err := a.slow(t.Context(), attemptOf("id", "192.0.2.2")); err != nil {
		t.Error(err) // elsewhere nobody waits
	}
	through := make(chan error, 2)
	for range 2 {
		go func() { through <- a.slow(t.Context(), who) }()
	}
	for range 2 {
		for c.Pending() == 0 {
			runtime.Gosched()
		}
		select {
		case err := <-through:
			t.Fatal("an attempt did not wait", err)
		default:
		}
		c.Advance(firstPause)
		if err := <-through; err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		a.note(who, errWrong)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { through <- a.slow(ctx, who) }()
	for c.Pending() == 0 {
		runtime.Gosched()
	}
	c.Advance(lastPause - 1)
	cancel()
	if err := <-through; !errors.Is(err, context.Canceled) {
		t.Error("the last pause is shorter than it should be, or somebody who left still waits", err)
	}
	a.note(who, nil)
	if err := a.slow(t.Context(), who); err != nil {
		t.Error(err) // a success wipes them out
	}
}
