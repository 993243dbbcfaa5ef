package jq_test

import (
	"errors"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func TestWhatIsRehearsedIsNotRunAgain(t *testing.T) {
	t.Parallel()
	p, err := jq.Compile("(reduce range(200000) as $i (0; . + 1)) + .n")
	if err != nil {
		t.Fatal(err)
	}
	r := jq.NewRehearsal(5 * time.Second)
	ctx := r.In(t.Context())
	on := func(n int) any { return jsonv.Object{"n": jsonv.Int(n)} }

	r.Perform(time.Millisecond)
	if _, _, err := p.First(ctx, on(1), jq.Limits{}); !errors.Is(err, jq.ErrLimit) || !r.TooSlow() {
		t.Fatalf("a slow program in a performance: %v", err)
	}
	if _, _, err := p.First(ctx, on(2), jq.Limits{}); !errors.Is(err, jq.ErrTooSlow) {
		t.Errorf("the rest of a performance that is to be given up: %v", err)
	}
	r.Rehearse()
	want, some, err := p.First(ctx, on(1), jq.Limits{})
	if err != nil || !some {
		t.Fatal(err)
	}
	r.Perform(time.Millisecond)
	if got, some, err := p.First(ctx, on(1), jq.Limits{}); err != nil || !some || !jsonv.Equal(got, want) || r.TooSlow() {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, _, err := p.First(ctx, on(3), jq.Limits{}); !errors.Is(err, jq.ErrLimit) || !r.TooSlow() {
		t.Errorf("another input: %v", err)
	}
	r.Perform(time.Millisecond)
	if _, some, err := p.First(jq.Apart(ctx), on(3), jq.Limits{}); err != nil || !some || r.TooSlow() {
		t.Errorf("apart from the rehearsal: %v", err)
	}
}

func TestRehearsedProgramsAreBoundedTogether(t *testing.T) {
	t.Parallel()
	r := jq.NewRehearsal(60 * time.Millisecond)
	ctx := r.In(t.Context())
	budget := jq.NewBudget(time.Minute)
	r.Rehearse()
	began := time.Now()
	for _, text := range []string{"1 | last(range(1e12))", "2 | last(range(1e12))", "3 | last(range(1e12))"} {
		p, err := jq.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.First(ctx, nil, jq.Limits{Budget: budget}); !errors.Is(err, jq.ErrLimit) {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("they took %s", took)
	}
	if !budget.Exceeded() {
		t.Error("nobody tells that the programs were stopped")
	}
	quick, err := jq.Compile("1 + 1")
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := quick.First(ctx, nil, jq.Limits{Budget: budget}); err != nil || !jsonv.Equal(got, jsonv.Int(2)) {
		t.Errorf("a quick program: %v %v", got, err)
	}
	r.Perform(time.Millisecond)
	again := jq.NewBudget(time.Minute)
	p, err := jq.Compile("1 | last(range(1e12))")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.First(ctx, nil, jq.Limits{Budget: again}); !errors.Is(err, jq.ErrLimit) || r.TooSlow() || !again.Exceeded() {
		t.Errorf("what ran over in the rehearsal does so in the performance, at once: %v", err)
	}
}
