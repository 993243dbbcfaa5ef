package portapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// token is an access token with a number that grows at each renewal, by which
// a caller says which one was refused.
type token struct {
	text   string
	serial int
}

// authority holds the client's token and renews it: ahead of time at 80 % of
// its life, and when the server refuses it. One renewal runs at a time, and
// who comes meanwhile shares its result.
type authority struct {
	c    *Client
	gate chan struct{} // holds one element while a renewal runs

	mu      sync.Mutex
	now     token
	renewAt time.Time // zero: never ahead of time
	expires time.Time // zero: unknown
	tries   int
	failed  error // of the last try
}

func newAuthority(c *Client) *authority {
	a := &authority{c: c, gate: make(chan struct{}, 1)}
	if c.opts.Token != "" {
		a.now = token{text: c.opts.Token, serial: 1}
	}
	return a
}

// secrets lists what no text of this client may contain.
func (a *authority) secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []string{a.c.opts.Secret, a.now.text}
}

func (a *authority) renewable() bool {
	return a.c.opts.Token == "" && !a.c.opts.Anonymous
}

// current returns a token to send, fetching one when there is none or the one
// at hand is in the last fifth of its life.
func (a *authority) current(ctx context.Context) (token, error) {
	if !a.renewable() {
		return a.now, nil
	}
	a.mu.Lock()
	t, seen, tries := a.c.clock.Now(), a.now, a.tries
	fresh := seen.text != "" && (a.renewAt.IsZero() || t.Before(a.renewAt))
	usable := seen.text != "" && (a.expires.IsZero() || t.Before(a.expires))
	a.mu.Unlock()
	if fresh {
		return seen, nil
	}
	if usable {
		select {
		case a.gate <- struct{}{}:
		default:
			return seen, nil // somebody is at it; the old one is still good
		}
	} else if err := a.enter(ctx); err != nil {
		return token{}, err
	}
	defer a.leave()
	err := a.fetch(ctx, seen.serial, tries)
	if err != nil && usable && ctx.Err() == nil {
		logTokenKept(ctx, err)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.renewAt = a.c.clock.Now().Add(10 * time.Second)
		return a.now, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now, err
}

// renew replaces the token with the given serial, which the server refused.
func (a *authority) renew(ctx context.Context, refused int) error {
	a.mu.Lock()
	tries := a.tries
	a.mu.Unlock()
	if err := a.enter(ctx); err != nil {
		return err
	}
	defer a.leave()
	return a.fetch(ctx, refused, tries)
}

func (a *authority) enter(ctx context.Context) error {
	select {
	case a.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for an access token: %w", context.Cause(ctx))
	}
}

func (a *authority) leave() { <-a.gate }

// fetch exchanges the credentials for a token, unless the token with the given
// serial was replaced, or a try failed, while the caller waited for the gate.
func (a *authority) fetch(ctx context.Context, serial, tries int) error {
	a.mu.Lock()
	if a.now.serial != serial {
		a.mu.Unlock()
		return nil
	}
	if a.tries != tries && a.failed != nil {
		defer a.mu.Unlock()
		return a.failed
	}
	a.mu.Unlock()

	asked := a.c.clock.Now()
	text, life, err := a.exchange(ctx)

	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		// A cancelled caller says nothing about the credentials.
		if ctx.Err() == nil {
			a.tries++
			a.failed = err
		}
		return err
	}
	a.tries++
	a.failed = nil
	a.now = token{text: text, serial: serial + 1}
	a.renewAt, a.expires = time.Time{}, time.Time{}
	if life > 0 {
		// The server may hand out the same token again with what is left of
		// its life; the floor keeps its last second from being all renewals.
		a.renewAt = asked.Add(max(life*4/5, time.Second))
		a.expires = asked.Add(life)
	}
	return nil
}

func (a *authority) exchange(ctx context.Context) (string, time.Duration, error) {
	text, life, err := a.c.exchange(ctx, a.c.opts.ClientID, a.c.opts.Secret)
	if err != nil {
		a.explain(err)
	}
	return text, life, err
}

// lifetime reads expiresIn; 0 stands for absent or unreadable.
func lifetime(v any) time.Duration {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	seconds, err := n.Float64()
	if err != nil || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, (365*24*time.Hour).Seconds()) * float64(time.Second))
}

// explain tells the owner of refused credentials what to look at.
func (a *authority) explain(err error) {
	var f *Fault
	if !errors.As(err, &f) || f.Status != http.StatusUnauthorized && f.Status != http.StatusForbidden || f.Hint != "" {
		return
	}
	switch {
	case a.c.opts.Token != "":
		f.Hint = "Check token: it may have expired. Tokens live for hours; client_id and secret get new ones as needed."
	case !a.c.opts.Anonymous:
		f.Hint = "Check client_id and secret (PORT_CLIENT_ID, PORT_CLIENT_SECRET), " +
			"and that base_url is of the region they belong to: requests go to " + strings.TrimSuffix(a.c.base, "/") + "/v1."
	}
}
