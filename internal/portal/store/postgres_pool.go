package store

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
)

// pool keeps connections. There may be any number that the server allows, since
// a view inside a view must not wait for its own end, but beyond maxReaders one
// waits a little for another to become free.
type pool struct {
	config *pgx.ConnConfig
	clock  clock.Clock
	idle   chan *pgx.Conn
	// salt differs between portals.
	salt byte
	// changed is called when the server is not the one of before.
	changed func()

	mu     sync.Mutex
	open   int
	server string
}

const (
	maxIdle = 16
	maxOpen = 32
	// patience is how long one waits for a free connection beyond maxOpen.
	patience = 20 * time.Millisecond
	// dialTimeout bounds the time to connect where the URL does not.
	dialTimeout = 10 * time.Second
	// closeTimeout bounds the farewell of a connection.
	closeTimeout = time.Second
)

// parseDatabaseURL reads a URL without ever repeating it.
func parseDatabaseURL(text string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, &DatabaseError{Reason: "the URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE"}
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		// The package hides the password in the URL it repeats, but not in every
		// URL that is malformed.
		return nil, &DatabaseError{Reason: "the URL cannot be read: " + parseReason(err)}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = dialTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "port portal"
	}
	return config, nil
}

// parseReason is the innermost cause of an error about a URL.
func parseReason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	if _, whole := err.(*pgconn.ParseConfigError); whole {
		return "a parameter is not valid"
	}
	return err.Error()
}

func newPool(config *pgx.ConnConfig, c clock.Clock, changed func()) *pool {
	salt := make([]byte, 1)
	_, _ = rand.Read(salt) // it never fails
	return &pool{config: config, clock: c, idle: make(chan *pgx.Conn, maxIdle), salt: salt[0], changed: changed}
}

// take gives an idle connection or a new one; fresh is true for the latter.
func (p *pool) take(ctx context.Context) (c *pgx.Conn, fresh bool, err error) {
	select {
	case c := <-p.idle:
		return c, false, nil
	default:
	}
	p.mu.Lock()
	crowded := p.open >= maxOpen
	p.open++
	p.mu.Unlock()
	for {
		if crowded {
			timer := p.clock.NewTimer(patience)
			select {
			case c := <-p.idle:
				timer.Stop()
				p.left()
				return c, false, nil
			case <-ctx.Done():
				timer.Stop()
				p.left()
				return nil, false, ctx.Err()
			case <-timer.C():
			}
		}
		c, err := p.dial(ctx)
		if err == nil {
			return c, true, nil
		}
		// A server that has no place left has given the places to somebody: if
		// that is us, one will become free.
		if crowded = sqlState(err) == tooManyConnections && p.others(); !crowded {
			p.left()
			return nil, false, err
		}
	}
}

func (p *pool) left() {
	p.mu.Lock()
	p.open--
	p.mu.Unlock()
}

func (p *pool) others() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open > 1
}

// dial connects and makes sure that an acknowledged change is durable, whatever
// the server's default is.
func (p *pool) dial(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return nil, err
	}
	var server string
	err = c.QueryRow(ctx, `SELECT concat_ws(' ', pg_postmaster_start_time(), (SELECT oid FROM pg_database WHERE datname = current_database()), current_schema()),
		CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`,
		pgx.QueryExecModeSimpleProtocol).Scan(&server, nil)
	if sqlState(err) != "" && !broken(err) {
		// Another kind of server, which does not know all of this.
		server, err = "unknown", nil
	}
	if err != nil {
		hangUp(c)
		return nil, err
	}
	p.mu.Lock()
	other := p.server != "" && p.server != server
	p.server = server
	p.mu.Unlock()
	if other {
		p.changed()
	}
	return c, nil
}

// life names the server that marks are of.
func (p *pool) life() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server
}

// give takes a connection back that is outside of any transaction.
func (p *pool) give(c *pgx.Conn) {
	if !c.IsClosed() && c.PgConn().TxStatus() == 'I' {
		select {
		case p.idle <- c:
			return
		default:
		}
	}
	p.drop(c)
}

func (p *pool) drop(c *pgx.Conn) {
	p.left()
	hangUp(c)
}

func hangUp(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = c.Close(ctx) // nobody waits for it
}

// close drops the idle connections; there are no others once the gate is shut.
func (p *pool) close() {
	for {
		select {
		case c := <-p.idle:
			p.drop(c)
		default:
			return
		}
	}
}
