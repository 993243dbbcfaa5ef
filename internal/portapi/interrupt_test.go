package portapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// slow answers after a delay, or ends with the request; a server that is slow
// has done what it was asked to all the same.
type slow struct {
	*script
	delay time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.script.RoundTrip(r)
	if r.URL.Path == "/v1/auth/access_token" {
		return answer, err
	}
	select {
	case <-time.After(s.delay):
		return answer, err
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// A write that is on the wire when its caller is interrupted may finish, so that
// nobody forgets what the server did; but not for ever, and nothing follows it.
func TestAWriteOnTheWireOutlivesAnInterrupt(t *testing.T) {
	t.Parallel()
	const interrupt = time.Second
	for name, c := range map[string]struct {
		op    Op
		step  step
		delay time.Duration
		want  error // nil: the answer arrives
		took  time.Duration
	}{
		"an answer in time":      {opPost, answered(201, fine), 5 * time.Second, nil, 5 * time.Second},
		"a refusal in time":      {opPost, answered(422, `{"ok":false,"error":"invalid_request"}`), 5 * time.Second, &Fault{}, 5 * time.Second},
		"no answer in time":      {opPost, answered(201, fine), time.Hour, context.Canceled, interrupt + interruptGrace},
		"an upsert that fails":   {opUpsert, answered(503, `{"ok":false}`), 5 * time.Second, &Fault{}, 5 * time.Second},
		"a token that ran out":   {opPost, answered(401, `{"ok":false}`), 5 * time.Second, context.Canceled, 5 * time.Second},
		"a read ends at once":    {opGet, answered(200, fine), 5 * time.Second, context.Canceled, interrupt},
		"a search ends at once":  {Op{Method: http.MethodPost, Path: []string{"entities", "search"}}, answered(200, fine), 5 * time.Second, context.Canceled, interrupt},
		"a delete that finishes": {Op{Method: http.MethodDelete, Path: []string{"blueprints", "a"}}, answered(200, `{"ok":true}`), 2 * time.Second, nil, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := slow{&script{steps: []step{c.step}}, c.delay}
				client := client(t, Options{Transport: s})
				ctx, cancel := context.WithCancel(t.Context())
				start := time.Now()
				time.AfterFunc(interrupt, cancel)
				_, err := client.Call(ctx, c.op)
				var fault *Fault
				switch {
				case c.want == nil && err != nil:
					t.Errorf("want the answer, got %v", err)
				case errors.As(c.want, &fault) && !errors.As(err, &fault), errors.Is(c.want, context.Canceled) && !errors.Is(err, context.Canceled):
					t.Errorf("want %T, got %v", c.want, err)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if n := s.count(); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
				synctest.Wait() // nothing may be left behind
			})
		})
	}
}

// After an interrupt nothing new is sent, not even a write.
func TestNoWriteBeginsAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(201, fine)}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client(t, Options{Transport: s, Token: "t"}).Call(ctx, opPost); !errors.Is(err, context.Canceled) || s.count() != 0 {
		t.Errorf("%d requests, %v", s.count(), err)
	}
}

// Create says whether the object is new by the status of the answer alone.
func TestCreateTellsTheNewFromTheTakenOver(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{200: false, 201: true} {
		s := &script{steps: []step{answered(status, fine)}}
		body, made, err := client(t, Options{Transport: s, Token: "t"}).Create(t.Context(), Op{Method: http.MethodPost, Path: []string{"x"}, Body: jsonv.Object{}})
		if err != nil || made != want || body == nil {
			t.Errorf("%d: made %v, %v, %v", status, made, body, err)
		}
	}
}
