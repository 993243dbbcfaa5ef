package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
)

// names answers questions for IPv4 addresses with one address after the other, which
// nobody may remember; the last stays.
func names(t *testing.T, addresses ...[4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buffer[:n]); err != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: addresses[0]}}}
				if len(addresses) > 1 {
					addresses = addresses[1:]
				}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestANameIsCheckedEachTimeItIsResolved: a name that led to a harmless address first
// leads to a metadata service then.
func TestANameIsCheckedEachTimeItIsResolved(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	defer s.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	l := outbound.Limits{Private: true}
	c := outbound.New(outbound.TransportWith(l, names(t, [4]byte{127, 0, 0, 1}, [4]byte{169, 254, 169, 254})), l)
	if a, err := get(t, c, "http://rebinding.example:"+port); err != nil || a.Status != http.StatusOK {
		t.Fatal(a.Status, err)
	}
	if _, err := get(t, c, "http://rebinding.example:"+port); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("the second time: %v", err)
	}
	closed := outbound.New(outbound.TransportWith(outbound.Limits{}, names(t, [4]byte{10, 0, 0, 1})), outbound.Limits{})
	if _, err := get(t, closed, "http://inside.example:"+port); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("a name of a private address: %v", err)
	}
}

// TestOddSpellingsReachNothing: a spelling of an address that some resolver reads is
// checked like any other; what none reads is no name.
func TestOddSpellingsReachNothing(t *testing.T) {
	t.Parallel()
	c := client(outbound.Limits{Private: true})
	for _, host := range []string{
		"2852039166", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:169.254.169.254]",
		"[::169.254.169.254]", "[64:ff9b:1::a9fe:a9fe]", "[2001:0:a9fe:a9fe::1]", "[::ffff:0:169.254.169.254]", "[fd00:ec2::23]", "[fd00:ec2::253]", "[fd20:ce::254]",
		"169.254.170.2", "255.255.255.255", "240.0.0.1", "[fe80::a9fe:a9fe%25lo]", "[ff02::1]",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+":1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Do(ctx, r)
		var unknown *net.DNSError
		if !errors.Is(err, outbound.ErrRefused) && !errors.As(err, &unknown) {
			t.Errorf("%s: %v", host, err)
		}
		cancel()
	}
	closed := client(outbound.Limits{})
	for _, host := range []string{"0177.0.0.1", "0x7f000001", "127.1", "[::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[64:ff9b::a00:1]", "198.18.0.1", "192.0.0.1", "[fec0::1]", "[fc00::1]"} {
		_, err := get(t, closed, "http://"+host+":1/")
		var unknown *net.DNSError
		if !errors.Is(err, outbound.ErrRefused) && !errors.As(err, &unknown) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestNoProxyIsTakenFromTheEnvironment(t *testing.T) {
	t.Parallel()
	if outbound.Transport(outbound.Limits{}).Proxy != nil {
		t.Error("a proxy would be asked to call what must not be called")
	}
}

// TestACallIsBoundedFromItsFirstByteToItsLast: a host that says something all the time
// but never ends, in its headers, its body, or before its answer.
func TestACallIsBoundedFromItsFirstByteToItsLast(t *testing.T) {
	t.Parallel()
	drip := func(first, again string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer func() { _ = conn.Close() }()
					text := first
					for n := 0; ; n++ {
						if _, err := fmt.Fprint(conn, text); err != nil {
							return
						}
						text = strings.ReplaceAll(again, "#", fmt.Sprint(n))
						<-time.After(5 * time.Millisecond)
					}
				}()
			}
		}()
		return "http://" + l.Addr().String()
	}
	for name, url := range map[string]string{
		"nothing":              drip("", ""),
		"headers without end":  drip("HTTP/1.1 200 OK\r\n", "X-#: y\r\n"),
		"a body without end":   drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"),
		"chunks without end":   drip("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
		"interim answers only": drip("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
	} {
		c := client(outbound.Limits{Private: true, Timeout: 100 * time.Millisecond})
		began := time.Now()
		if _, err := get(t, c, url); err == nil {
			t.Errorf("%s: no error", name)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

// TestWhatIsReadIsBoundedAfterDecompression: little on the wire may be much.
func TestWhatIsReadIsBoundedAfterDecompression(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, 32<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer s.Close()
	if a, err := get(t, client(outbound.Limits{Private: true}), s.URL); err != nil || len(a.Body) != 1<<20 || !a.Cut {
		t.Error(len(a.Body), a.Cut, err)
	}
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 1<<20))
	}))
	defer large.Close()
	if _, err := get(t, client(outbound.Limits{Private: true}), large.URL); err == nil {
		t.Error("headers without bound")
	}
}

// TestOnlySomeCallsWaitForAHost: others are told that it is busy, by whatever spelling
// they name it.
func TestOnlySomeCallsWaitForAHost(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var under, most atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), under.Add(1)))
		defer under.Add(-1)
		<-release
	}))
	defer s.Close()
	port := s.URL[strings.LastIndex(s.URL, ":")+1:]
	l := outbound.Limits{Private: true, PerHost: 2, Waiting: 3, Wait: time.Minute}
	c := outbound.New(outbound.TransportWith(l, names(t, [4]byte{127, 0, 0, 1})), l)
	var wg sync.WaitGroup
	var busy, done atomic.Int32
	over := make(chan struct{})
	for n := range 20 {
		wg.Go(func() {
			host := []string{"host.example", "HOST.example", "Host.Example.", "host.EXAMPLE."}[n%4]
			_, err := get(t, c, "http://"+host+":"+port)
			switch {
			case errors.Is(err, outbound.ErrBusy):
				if busy.Add(1) == 15 {
					close(over)
				}
			case err == nil:
				done.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	select {
	case <-over:
	case <-time.After(30 * time.Second):
		t.Error("nobody is told that the host is busy")
	}
	close(release)
	wg.Wait()
	if busy.Load() != 15 || done.Load() != 5 || most.Load() > 2 {
		t.Errorf("%d calls refused, %d made, %d at a time", busy.Load(), done.Load(), most.Load())
	}
}
