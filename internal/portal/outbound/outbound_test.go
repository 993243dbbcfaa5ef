package outbound_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
)

func get(t *testing.T, c *outbound.Client, url string) (outbound.Answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(t.Context(), r)
}

func client(l outbound.Limits) *outbound.Client { return outbound.New(outbound.Transport(l), l) }

func TestMetadataAndOddAddressesAreNeverCalled(t *testing.T) {
	t.Parallel()
	c := client(outbound.Limits{Private: true})
	for _, host := range []string{
		"169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fe80::1]", "[fd00:ec2::254]",
		"100.100.100.200", "192.0.0.192", "168.63.129.16", "0.0.0.0", "0.1.2.3", "[::]", "224.0.0.1",
	} {
		if _, err := get(t, c, "http://"+host+":1/latest/meta-data"); !errors.Is(err, outbound.ErrRefused) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestPrivateAddressesAreCalledWhenAllowed(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer s.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	closed, open := client(outbound.Limits{}), client(outbound.Limits{Private: true})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "10.1.2.3", "192.168.0.1", "172.16.0.1", "100.64.0.1", "[fd12::1]"} {
		_, err := get(t, closed, "http://"+host+":"+port)
		var unknown *net.DNSError // a host that is no name anywhere is as good
		if !errors.Is(err, outbound.ErrRefused) && !errors.As(err, &unknown) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if a, err := get(t, open, s.URL); err != nil || a.Status != http.StatusTeapot {
		t.Error(a.Status, err)
	}
}

func TestRedirectsAreAnswersAndBodiesAreCut(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/big", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	defer s.Close()
	c := client(outbound.Limits{Private: true, Body: 100})
	if a, err := get(t, c, s.URL+"/away"); err != nil || a.Status != http.StatusFound || a.Header.Get("Location") != "/big" {
		t.Error(a, err)
	}
	if a, err := get(t, c, s.URL+"/big"); err != nil || len(a.Body) != 100 || !a.Cut {
		t.Error(len(a.Body), a.Cut, err)
	}
}

func TestASlowHostHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	var busy, most atomic.Int32
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		n := busy.Add(1)
		defer busy.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
	}))
	defer slow.Close()
	quick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer quick.Close()
	c := client(outbound.Limits{Private: true, PerHost: 2})
	var calls sync.WaitGroup
	for range 6 {
		calls.Go(func() {
			if _, err := get(t, c, slow.URL); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := get(t, c, quick.URL); err != nil {
		t.Error(err)
	}
	close(release)
	calls.Wait()
	if n := most.Load(); n > 2 {
		t.Errorf("%d calls at a time", n)
	}
}

func TestACallThatWaitsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	}))
	defer s.Close()
	c := client(outbound.Limits{Private: true, PerHost: 1})
	done := make(chan error, 1)
	go func() {
		_, err := get(t, c, s.URL)
		done <- err
	}()
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(ctx, r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestACallGivesUpWaitingForItsTurn(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	}))
	defer s.Close()
	c := client(outbound.Limits{Private: true, PerHost: 1, Wait: time.Millisecond})
	done := make(chan error, 1)
	go func() {
		_, err := get(t, c, s.URL)
		done <- err
	}()
	<-arrived
	if _, err := get(t, c, s.URL); !errors.Is(err, outbound.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
