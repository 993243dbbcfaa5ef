// Package pgtest gives tests a PostgreSQL database: the one that
// PORTAL_TEST_DATABASE_URL names, or a server of the test's own where the
// binaries are on the machine.
package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the database that tests may use. Every test makes a schema of
// its own in it and drops it in the end. The value "own" starts a server, and so
// does PORT_LONG when the variable is empty.
const Variable = "PORTAL_TEST_DATABASE_URL"

// Wanted reports whether tests should run on PostgreSQL at all.
func Wanted() bool { return os.Getenv(Variable) != "" || os.Getenv("PORT_LONG") != "" }

// Stores names the stores that a test should run on.
func Stores() []string {
	if Wanted() {
		return []string{"memory", "sqlite", "postgres"}
	}
	return []string{"memory", "sqlite"}
}

// Need skips a test when no database is wanted.
func Need(t testing.TB) {
	t.Helper()
	if !Wanted() {
		t.Skipf("set %s to a PostgreSQL URL, or PORT_LONG to 1", Variable)
	}
}

// URL is a database with an empty schema for one test. It skips the test when
// there is none to be had.
func URL(t testing.TB) string {
	t.Helper()
	Need(t)
	base := os.Getenv(Variable)
	if base == "" || base == "own" {
		s, err := own()
		if errors.Is(err, errNoBinaries) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		base = s.url
	}
	return schema(t, base)
}

// schema makes an empty schema and a URL that leads there.
func schema(t testing.TB, base string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := execute(base, "CREATE SCHEMA "+name); err != nil {
		t.Fatalf("the test database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(base, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Errorf("the test database: %v", err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Execute runs statements on a database of [URL].
func Execute(t testing.TB, where, statements string) {
	t.Helper()
	if err := execute(where, statements); err != nil {
		t.Fatal(err)
	}
}

func execute(where, statements string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	_, err = c.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

// own is the server of this test binary, started by the first test that asks.
var own = sync.OnceValues(func() (*server, error) { return start(context.Background()) })

var errNoBinaries = errors.New("there are no PostgreSQL binaries (initdb, postgres) on this machine: set " + Variable)

// Start runs a server of the test's own, for tests that stop it.
func Start(t testing.TB) *Server {
	t.Helper()
	Need(t)
	s, err := start(t.Context())
	if errors.Is(err, errNoBinaries) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return &Server{t: t, server: s}
}

// Server is a server that a test may stop and start again.
type Server struct {
	t      testing.TB
	server *server
}

// URL leads to an empty schema of the server.
func (s *Server) URL() string { return schema(s.t, s.server.url) }

// Restart ends all connections as a crash would, and comes back with what was
// committed.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.server.restart(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// output collects what the server says, for an error at its start.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() > 1<<16 {
		return len(p), nil
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) wrap(err error) error { return fmt.Errorf("%w\n%s", err, o.String()) }
