package portapi

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func lasting(seconds string) func(int) step {
	return func(n int) step {
		return answered(200, fmt.Sprintf(`{"ok":true,"accessToken":"token-%d","expiresIn":%s,"tokenType":"Bearer"}`, n, seconds))
	}
}

func tokens(s *script) []string {
	var out []string
	for _, r := range s.got {
		out = append(out, strings.TrimPrefix(r.header.Get("Authorization"), "Bearer "))
	}
	return out
}

func TestTheTokenIsRenewedAtFourFifthsOfItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}, auth: lasting("10800")}
		c := client(t, Options{Transport: s})
		call := func() {
			t.Helper()
			if _, err := c.Call(t.Context(), opGet); err != nil {
				t.Fatal(err)
			}
		}
		call()
		time.Sleep(8639 * time.Second)
		call()
		time.Sleep(2 * time.Second)
		call()
		call()
		if diff := cmp.Diff([]string{"token-1", "token-1", "token-2", "token-2"}, tokens(s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnUnknownLifetimeIsNeverRenewedAhead(t *testing.T) {
	t.Parallel()
	for _, life := range []string{`null`, `0`, `-5`, `"soon"`, `{}`} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{answered(200, fine)}, auth: lasting(life)}
			c := client(t, Options{Transport: s})
			for range 3 {
				if _, err := c.Call(t.Context(), opGet); err != nil {
					t.Fatal(err)
				}
				time.Sleep(24 * time.Hour)
			}
			if len(s.auths) != 1 {
				t.Errorf("expiresIn %s: %d token calls", life, len(s.auths))
			}
		})
	}
}

func TestManyCallersShareOneRenewal(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]time.Duration{"at first": 0, "ahead of time": 90 * time.Second, "expired": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []step{answered(200, fine)}, auth: lasting("100")}
				c := client(t, Options{Transport: s})
				if pause > 0 {
					if err := c.Authenticate(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(pause)
				}
				before := len(s.auths)
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						if _, err := c.Call(t.Context(), opGet); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if n := len(s.auths) - before; n != 1 {
					t.Errorf("%d token calls", n)
				}
			})
		})
	}
}

func TestARefusedTokenIsRenewedOnceForEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}}
		s.react = func(r sent) (step, bool) {
			return answered(401, `{"ok":false,"error":"unauthorized","message":"revoked"}`), r.header.Get("Authorization") == "Bearer token-1"
		}
		c := client(t, Options{Transport: s})
		var wg sync.WaitGroup
		for i := range 10 {
			op := []Op{opGet, opPost, opPatch}[i%3] // a refused token did nothing: all may follow
			wg.Go(func() {
				if _, err := c.Call(t.Context(), op); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(s.auths) != 2 {
			t.Errorf("%d token calls", len(s.auths))
		}
	})
}

func TestATokenRefusedTwiceIsAFaultThatSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	refusal := answered(401, `{"ok":false,"error":"unauthorized","message":"no"}`)
	for _, c := range []struct {
		name         string
		o            Options
		calls, auths int
		hint         string
	}{
		{"credentials", Options{}, 2, 2, "PORT_CLIENT_SECRET"},
		{"fixed token", Options{Token: "fixed-token"}, 1, 0, "Check token"},
		{"anonymous", Options{Anonymous: true}, 1, 0, ""},
	} {
		s := &script{steps: []step{refusal}}
		c.o.Transport = s
		_, err := client(t, c.o).Call(t.Context(), opGet)
		f, ok := AsFault(err)
		if !ok || f.Code != "unauthorized" || !strings.Contains(f.Hint, c.hint) || (c.hint == "") != (f.Hint == "") {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(s.got) != c.calls || len(s.auths) != c.auths {
			t.Errorf("%s: %d calls, %d token calls", c.name, len(s.got), len(s.auths))
		}
	}
}

func TestAFixedTokenIsNeverRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}}
		c := client(t, Options{Transport: s, Token: "fixed-token", ClientID: "ignored", Secret: "ignored"})
		if err := c.Authenticate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := c.Call(t.Context(), opGet); err != nil {
				t.Fatal(err)
			}
			time.Sleep(24 * time.Hour)
		}
		if diff := cmp.Diff([]string{"fixed-token", "fixed-token"}, tokens(s)); diff != "" || len(s.auths) != 0 {
			t.Error(len(s.auths), diff)
		}
	})
}

func TestWrongCredentialsAreReportedOnceAndForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}, auth: func(int) step {
			time.Sleep(time.Second)
			return answered(401, `{"ok":false,"error":"invalid_credentials","message":"wrong the-client-secret"}`)
		}}
		c := client(t, Options{Transport: s})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := c.Call(t.Context(), opGet)
				if !HasCode(err, "invalid_credentials") || !strings.Contains(err.Error(), "PORT_CLIENT_ID") {
					t.Errorf("got %v", err)
				}
				if strings.Contains(fmt.Sprint(err), "the-client-secret") {
					t.Errorf("shows the secret: %v", err)
				}
			})
		}
		wg.Wait()
		if len(s.auths) != 1 || s.count() != 0 {
			t.Errorf("%d token calls, %d others", len(s.auths), s.count())
		}
		if err := c.Authenticate(t.Context()); err == nil || len(s.auths) != 2 {
			t.Errorf("a later call asks again: %d token calls, %v", len(s.auths), err)
		}
	})
}

func TestATokenAnswerWithoutATokenIsAnError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"ok":true}`, `{"ok":true,"accessToken":""}`, `{"ok":false}`, `<html>`, ``, `[]`, `{"ok":true,"accessToken":7}`} {
		s := &script{auth: func(int) step { return answered(200, body) }}
		if err := client(t, Options{Transport: s}).Authenticate(t.Context()); err == nil {
			t.Errorf("%q passes", body)
		} else if _, ok := AsFault(err); !ok {
			t.Errorf("%q: %T", body, err)
		}
	}
	// "ok" itself is not required there; reference/provider-catalog.md §2.1.
	s := &script{auth: func(int) step { return answered(200, `{"accessToken":"x"}`) }}
	if err := client(t, Options{Transport: s}).Authenticate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAGoodTokenOutlivesAFailedRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}}
		s.auth = func(n int) step {
			if n == 1 || n > 7 {
				return lasting("1000")(n)
			}
			return answered(503, `{"ok":false}`)
		}
		c := client(t, Options{Transport: s})
		for _, pause := range []time.Duration{0, 801 * time.Second, time.Second, 20 * time.Second} {
			time.Sleep(pause)
			if _, err := c.Call(t.Context(), opGet); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"token-1", "token-1", "token-1", "token-8"}, tokens(s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnExpiredTokenIsNotUsedWhenRenewalFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}}
		s.auth = func(n int) step {
			if n == 1 {
				return lasting("1000")(n)
			}
			return step{err: errBroken}
		}
		c := client(t, Options{Transport: s})
		if _, err := c.Call(t.Context(), opGet); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1001 * time.Second)
		if _, err := c.Call(t.Context(), opGet); !errors.Is(err, errBroken) || s.count() != 1 {
			t.Errorf("%d calls, %v", s.count(), err)
		}
	})
}
