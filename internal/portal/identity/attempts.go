package identity

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
)

// TooManyRequests is the code of every refusal of who calls too often
// (reference/catalog.md §6.1 L2); RetryAfter is the detail that tells for how many
// seconds to wait, where that is not the end of the window of requests.
const (
	TooManyRequests = "too_many_requests"
	RetryAfter      = "retryAfter"
)

// attempt is who tries to log in as whom. The address is part of it so that nobody
// can keep others from logging in by trying wrong secrets from elsewhere.
// Client ids are as long as callers like; their digests are not.
type attempt struct {
	clientID [sha256.Size]byte
	from     string
}

func attemptOf(clientID, from string) attempt {
	return attempt{sha256.Sum256([]byte(ident.Email(clientID))), from}
}

// attempts counts failed logins, so that secrets that were not drawn at random
// cannot be guessed by trying. It knows nothing of which client ids exist and treats
// all alike. What it remembers is bounded: the pair that failed longest ago is
// forgotten first, so that forgetting one takes as many other failures as it
// remembers.
type attempts struct {
	clock clock.Clock
	// limit is after how many failures of a window the rest of it is refused; 0 is
	// never: then failures only slow down.
	limit int

	mu     sync.Mutex
	failed map[attempt]*list.Element
	oldest *list.List
}

// failures are those of one pair since the first one.
type failures struct {
	attempt
	count int
	ends  time.Time
	// turn is taken by the one attempt that is made at a time.
	turn chan struct{}
}

const (
	// attemptWindow is how long failures count, and so the longest anybody waits.
	attemptWindow = time.Minute
	mostAttempts  = 4096
	// patience is how many failures cost nothing; each further one doubles the pause
	// before the next attempt, from firstPause to lastPause.
	patience   = 5
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// slow lets an attempt wait after too many failed ones, in its turn among those of
// the same pair, whether or not it will succeed.
func (a *attempts) slow(ctx context.Context, who attempt) error {
	a.mu.Lock()
	f := a.find(who)
	if f == nil || f.count < patience {
		a.mu.Unlock()
		return nil
	}
	pause := min(firstPause<<min(f.count-patience, 10), lastPause)
	a.mu.Unlock()
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.turn }()
	timer := a.clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newAttempts(c clock.Clock, limit int) *attempts {
	return &attempts{clock: c, limit: limit, failed: map[attempt]*list.Element{}, oldest: list.New()}
}

// admit refuses an attempt after too many failed ones, whether or not it would
// succeed: the answer must not tell.
func (a *attempts) admit(who attempt) error {
	if a.limit <= 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.find(who)
	if f == nil || f.count < a.limit {
		return nil
	}
	wait := (f.ends.Sub(a.clock.Now()) + time.Second - 1) / time.Second
	return fault.New(http.StatusTooManyRequests, TooManyRequests,
		"This client id was used with a wrong secret too often: wait as long as the header Retry-After says").
		With(RetryAfter, jsonv.Int(int64(wait)))
}

// note counts how an attempt ended. One that succeeded wipes out those before it.
func (a *attempts) note(who attempt, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.find(who)
	var refused *fault.Fault
	switch {
	case err == nil && f != nil:
		a.drop(a.failed[who])
	case err == nil, !errors.As(err, &refused):
	case f != nil:
		f.count++
		a.oldest.MoveToBack(a.failed[who])
	default:
		if len(a.failed) >= mostAttempts {
			a.drop(a.oldest.Front())
		}
		a.failed[who] = a.oldest.PushBack(&failures{attempt: who, count: 1, ends: a.clock.Now().Add(attemptWindow), turn: make(chan struct{}, 1)})
	}
}

// find returns the failures that still count, nil when there are none.
func (a *attempts) find(who attempt) *failures {
	element := a.failed[who]
	if element == nil {
		return nil
	}
	f, ok := element.Value.(*failures)
	if ok && a.clock.Now().Before(f.ends) {
		return f
	}
	a.drop(element)
	return nil
}

func (a *attempts) drop(element *list.Element) {
	if f, ok := a.oldest.Remove(element).(*failures); ok {
		delete(a.failed, f.attempt)
	}
}
