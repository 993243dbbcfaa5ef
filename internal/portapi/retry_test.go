package portapi

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

var (
	opGet    = Op{Method: http.MethodGet, Path: []string{"blueprints", "svc"}}
	opPost   = Op{Method: http.MethodPost, Path: []string{"blueprints"}, Body: jsonv.Object{"identifier": "svc"}}
	opUpsert = Op{Method: http.MethodPost, Path: []string{"blueprints", "svc", "entities"}, Body: jsonv.Object{}, Repeat: RepeatSafe}
	opPut    = Op{Method: http.MethodPut, Path: []string{"blueprints", "svc"}, Body: jsonv.Object{}}
	opRename = Op{Method: http.MethodPut, Path: []string{"blueprints", "svc"}, Body: jsonv.Object{}, Repeat: RepeatNever}
	opPatch  = Op{Method: http.MethodPatch, Path: []string{"organization"}, Body: jsonv.Object{}}
	opDelete = Op{Method: http.MethodDelete, Path: []string{"blueprints", "svc"}}
	opSearch = Op{Method: http.MethodPost, Path: []string{"entities", "search"}, Body: jsonv.Object{}}
)

func TestOnlySafeFailuresAreRepeated(t *testing.T) {
	t.Parallel()
	all := []Op{opGet, opPost, opUpsert, opPut, opRename, opPatch, opDelete, opSearch}
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	const safe, unsafe = "GET POST(upsert) PUT DELETE POST(search)", "POST PUT(rename) PATCH"
	for _, c := range []struct {
		name   string
		answer step
		again  string
	}{
		{"429", answered(429, `{"ok":false,"error":"too_many_requests"}`), safe + " " + unsafe},
		{"503 with Retry-After", step{status: 503, header: map[string]string{"Retry-After": "1"}, body: "{}"}, safe + " " + unsafe},
		{"503", answered(503, `{"ok":false}`), safe},
		{"502 page", step{status: 502, header: map[string]string{"Content-Type": "text/html"}, body: "<html>"}, safe},
		{"504", answered(504, ""), safe},
		{"500", answered(500, `{"ok":false,"error":"internal_error"}`), safe},
		{"408", answered(408, ""), safe},
		{"501", answered(501, `{"ok":false}`), ""},
		{"400", answered(400, `{"ok":false}`), ""},
		{"403", answered(403, `{"ok":false}`), ""},
		{"404", answered(404, `{"ok":false}`), ""},
		{"409", answered(409, `{"ok":false}`), ""},
		{"422", answered(422, `{"ok":false}`), ""},
		{"200 not ok", answered(200, `{"ok":false}`), ""},
		{"refused", step{err: dial}, safe + " " + unsafe},
		{"no such host", step{err: &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}}, safe + " " + unsafe},
		{"reset", step{err: reset}, safe},
		{"cut off", step{err: io.ErrUnexpectedEOF}, safe},
		{"bad certificate", step{err: x509.UnknownAuthorityError{}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, op := range all {
					s := &script{steps: []step{c.answer, answered(200, fine)}}
					_, err := client(t, Options{Transport: s}).Call(t.Context(), op)
					name := op.Method
					switch {
					case op.Repeat == RepeatSafe:
						name += "(upsert)"
					case op.Repeat == RepeatNever:
						name += "(rename)"
					case op.reads() && op.Method == http.MethodPost:
						name += "(search)"
					}
					want := strings.Contains(" "+c.again+" ", " "+name+" ")
					if got := err == nil; got != want || s.count() != map[bool]int{false: 1, true: 2}[want] {
						t.Errorf("%s: %d requests, %v; repeated should be %v", name, s.count(), err, want)
					}
				}
			})
		})
	}
}

func TestSixAttemptsAreMadeAndTheLastFaultIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(502, `{"ok":false,"error":"bad_gateway","message":"upstream"}`)}}
		start := time.Now()
		_, err := client(t, Options{Transport: s}).Call(t.Context(), opGet)
		f, ok := AsFault(err)
		if !ok || f.Status != 502 || s.count() != 6 {
			t.Errorf("%d requests, %v", s.count(), err)
		}
		if took := time.Since(start); took < 1550*time.Millisecond || took > 3200*time.Millisecond {
			t.Errorf("backed off for %s in all", took)
		}
	})
}

func TestBackoffDoublesWithJitterWithinBounds(t *testing.T) {
	t.Parallel()
	for _, j := range []float64{0, 0.5, 0.999} {
		c := client(t, Options{jitter: func() float64 { return j }})
		for n, most := range map[int]time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 1600, 6: 2000, 40: 2000} {
			most *= time.Millisecond
			if got := c.backoff(n); got < max(100*time.Millisecond, most/2) || got > most {
				t.Errorf("attempt %d, jitter %v: %s, want about %s", n, j, got, most)
			}
		}
	}
}

func TestRetryAfterIsHonouredInSecondsAndAsDate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header    func(now time.Time) string
		low, high time.Duration
	}{
		"seconds":  {func(time.Time) string { return "7" }, 7 * time.Second, 7700 * time.Millisecond},
		"fraction": {func(time.Time) string { return "1.5" }, 1500 * time.Millisecond, 1650 * time.Millisecond},
		"date":     {func(n time.Time) string { return n.Add(9 * time.Second).UTC().Format(http.TimeFormat) }, 8 * time.Second, 10 * time.Second},
		"ISO date": {func(n time.Time) string { return n.Add(9 * time.Second).UTC().Format(time.RFC3339) }, 8 * time.Second, 10 * time.Second},
		"past":     {func(n time.Time) string { return n.Add(-time.Hour).UTC().Format(http.TimeFormat) }, 100 * time.Millisecond, 200 * time.Millisecond},
		"absurd":   {func(time.Time) string { return "99999999999999999999" }, 5 * time.Minute, 5 * time.Minute},
		"NaN":      {func(time.Time) string { return "NaN" }, 100 * time.Millisecond, 200 * time.Millisecond},
		"nonsense": {func(time.Time) string { return "soon" }, 100 * time.Millisecond, 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, off := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []step{
						{status: 429, header: map[string]string{"Retry-After": c.header(time.Now())}, body: `{"ok":false}`},
						answered(200, fine),
					}}
					start := time.Now()
					if _, err := client(t, Options{Transport: s, NoRateLimit: off}).Call(t.Context(), opPost); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(start); took < c.low || took > c.high+restartGap {
						t.Errorf("pacing off %v: waited %s, want %s to %s", off, took, c.low, c.high)
					}
				})
			}
		})
	}
}

func TestAnAttemptIsBoundedAndRepeatedOnlyWhenSafe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op   Op
		want int
	}{{opGet, 2}, {opPost, 1}, {opUpsert, 2}} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{{hang: true}, answered(200, fine)}}
			start := time.Now()
			_, err := client(t, Options{Transport: s}).Call(t.Context(), c.op)
			if s.count() != c.want || (err == nil) != (c.want == 2) {
				t.Errorf("%s: %d requests, %v", c.op.Method, s.count(), err)
			}
			if took := time.Since(start); took < time.Minute || took > time.Minute+200*time.Millisecond {
				t.Errorf("%s: gave up after %s", c.op.Method, took)
			}
			if err != nil && !strings.Contains(err.Error(), "no answer within 1m0s") {
				t.Errorf("text: %v", err)
			}
		})
	}
}

func TestCancellationStopsACallAtOnceWhereverItIs(t *testing.T) {
	t.Parallel()
	after := func(key, value string) step {
		return step{status: 429, header: map[string]string{key: value}, body: `{"ok":false}`}
	}
	spent := step{status: 200, body: fine, header: map[string]string{
		"X-Ratelimit-Limit": "10", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "200",
	}}
	call := func(c *Client, ctx context.Context) error {
		_, err := c.Call(ctx, opGet)
		return err
	}
	for name, c := range map[string]struct {
		s    *script
		prep bool
		do   func(*Client, context.Context) error
	}{
		"in a request":         {&script{steps: []step{{hang: true}}}, false, call},
		"in Retry-After":       {&script{steps: []step{after("Retry-After", "120")}}, false, call},
		"in the rate limit":    {&script{steps: []step{spent}}, true, call},
		"in the token request": {&script{steps: []step{spent}, auth: func(int) step { return step{hang: true} }}, false, call},
		"in a backoff for ever": {&script{steps: []step{{err: errBroken}}}, false, func(c *Client, ctx context.Context) error {
			c.opts.Attempts = 1 << 30
			return call(c, ctx)
		}},
		"in a batched read": {&script{steps: []step{{hang: true}}}, false, func(c *Client, ctx context.Context) error {
			_, err := c.ReadEntity(ctx, "svc", "a")
			return err
		}},
		"in a blueprint read": {&script{steps: []step{{hang: true}}}, false, func(c *Client, ctx context.Context) error {
			_, err := c.ReadBlueprint(ctx, "svc")
			return err
		}},
		"in a migration": {&script{steps: []step{answered(200, `{"ok":true,"migration":{"status":"RUNNING"}}`)}}, false, func(c *Client, ctx context.Context) error {
			_, err := c.AwaitMigration(ctx, "m")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := client(t, Options{Transport: c.s})
				if c.prep {
					if _, err := client.Call(t.Context(), opGet); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				start := time.Now()
				time.AfterFunc(31337*time.Millisecond, cancel)
				err := c.do(client, ctx)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("want context.Canceled, got %v", err)
				}
				if took := time.Since(start); took != 31337*time.Millisecond {
					t.Errorf("stopped after %s", took)
				}
				synctest.Wait() // no goroutine may outlive the test's bubble
			})
		})
	}
}

func TestPermissionsOfANewObjectAreWaitedFor(t *testing.T) {
	t.Parallel()
	permissions := func(kind, id string) Op {
		return Op{Method: http.MethodPatch, Path: []string{kind, id, "permissions"}, Body: jsonv.Object{}}
	}
	created := answered(201, `{"ok":true,"blueprint":{"identifier":"new"},"action":{"identifier":"new"},"page":{"identifier":"new"}}`)
	for _, c := range []struct {
		name   string
		create Op
		op     Op
		pause  time.Duration
		status int
		want   int
	}{
		{"404 of a new blueprint", opPost, permissions("blueprints", "new"), 0, 404, 6},
		{"409 of a new blueprint", opPost, permissions("blueprints", "new"), 0, 409, 6},
		{"500 of a new blueprint", opPost, permissions("blueprints", "new"), 0, 500, 6},
		{"404 of a new action", Op{Method: http.MethodPost, Path: []string{"actions"}}, permissions("actions", "new"), 0, 404, 6},
		{"404 of a new page", Op{Method: http.MethodPost, Path: []string{"pages"}}, permissions("pages", "new"), 0, 404, 6},
		{"404 after a rename", Op{Method: http.MethodPut, Path: []string{"blueprints", "old"}}, permissions("blueprints", "new"), 0, 404, 6},
		{"404 after an update", Op{Method: http.MethodPut, Path: []string{"blueprints", "new"}}, permissions("blueprints", "new"), 0, 404, 1},
		{"422 is final", opPost, permissions("blueprints", "new"), 0, 422, 1},
		{"403 is final", opPost, permissions("blueprints", "new"), 0, 403, 1},
		{"an older object's 404 is final", opPost, permissions("blueprints", "other"), 0, 404, 1},
		{"later 404 is final", opPost, permissions("blueprints", "new"), 2 * time.Minute, 404, 1},
		{"a blueprint called permissions", opPost, Op{Method: http.MethodGet, Path: []string{"blueprints", "permissions"}}, 0, 404, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []step{created, answered(c.status, `{"ok":false,"error":"e"}`)}}
				client := client(t, Options{Transport: s})
				if _, err := client.Call(t.Context(), c.create); err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.pause)
				if _, err := client.Call(t.Context(), c.op); err == nil || s.count()-1 != c.want {
					t.Errorf("%d requests, want %d; %v", s.count()-1, c.want, err)
				}
			})
		})
	}
}

func TestMigrationsAreAwaitedWithBackoff(t *testing.T) {
	t.Parallel()
	status := func(s string) step {
		return answered(200, fmt.Sprintf(`{"ok":true,"migration":{"id":"m","status":%q,"successCount":3,"failureCount":2}}`, s))
	}
	for _, c := range []struct {
		name  string
		steps []step
		polls int
		took  time.Duration
		want  string
	}{
		{"done at once", []step{status("COMPLETED")}, 1, 0, ""},
		{"gone at the first poll", []step{answered(404, `{"ok":false,"error":"not_found"}`)}, 1, 0, ""},
		{"gone later", []step{status("RUNNING"), answered(404, `{"ok":false,"error":"not_found"}`)}, 2, time.Second, "not_found"},
		{
			"all running states poll",
			[]step{status("INITIALIZING"), status("PENDING"), status("RUNNING"), status("PENDING_CANCELLATION"), status("SOMETHING_NEW"), status("COMPLETED")},
			6, (1000 + 1500 + 2250 + 3375 + 5000) * time.Millisecond, "",
		},
		{"failure", []step{status("RUNNING"), status("FAILURE")}, 2, time.Second, "ended as FAILURE (2 failed, 3 succeeded)"},
		{"cancelled", []step{status("CANCELLED")}, 1, 0, "ended as CANCELLED"},
		{"no record", []step{answered(200, fine)}, 1, 0, "no migration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: c.steps}
				start := time.Now()
				_, err := client(t, Options{Transport: s}).AwaitMigration(t.Context(), "m")
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				if took := time.Since(start); took != c.took || s.count() != c.polls {
					t.Errorf("%d polls in %s, want %d in %s", s.count(), took, c.polls, c.took)
				}
			})
		})
	}
	t.Run("never done", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{status("RUNNING")}}
			start := time.Now()
			_, err := client(t, Options{Transport: s}).AwaitMigration(t.Context(), "m")
			if err == nil || !strings.Contains(err.Error(), "still RUNNING after 30m") {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > 30*time.Minute || took < 29*time.Minute {
				t.Errorf("gave up after %s", took)
			}
		})
	})
}
