package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// DatabaseError says why a database cannot be used.
type DatabaseError struct {
	// Name is host and database, without the user's secret; it may be empty.
	Name, Reason string
	Err          error
}

func (e *DatabaseError) Error() string {
	if e.Name == "" {
		return "database: " + e.Reason
	}
	return fmt.Sprintf("database %s: %s", e.Name, e.Reason)
}

func (e *DatabaseError) Unwrap() error { return e.Err }

// UncertainError says that a commit was under way when the connection broke: the
// change may be there or not. It is not tried again, since it might be done twice.
type UncertainError struct{ Err error }

func (e *UncertainError) Error() string {
	return "the connection to the database broke during a commit: whether the change was kept is not known"
}

func (e *UncertainError) Unwrap() error { return e.Err }

// conflictError is the server's word that an update has to be done again.
type conflictError struct{ error }

func (e *conflictError) Unwrap() error { return e.error }

// The states of errors that are told apart (PostgreSQL, appendix A).
const (
	tooManyConnections = "53300"
	uniqueViolation    = "23505"
	serialization      = "40001"
	deadlock           = "40P01"
	undefinedTable     = "42P01"
)

func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// conflict reports whether another transaction is in the way. Two that insert the
// same key at once meet at the unique index first.
func conflict(err error) bool {
	switch sqlState(err) {
	case serialization, deadlock, uniqueViolation:
		return true
	}
	return false
}

// broken reports whether the connection, not the statement, is at fault.
func broken(err error) bool {
	if err == nil {
		return false
	}
	if state := sqlState(err); state != "" {
		// The server shuts down, or an administrator ended the session.
		return strings.HasPrefix(state, "57P") || strings.HasPrefix(state, "08")
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// reasons explain states of errors, by themselves or by their class.
var reasons = map[string]string{
	"28P01":            "the server refuses the user or the password",
	"28000":            "the server refuses the user",
	"3D000":            "there is no such database",
	"3F000":            "there is no schema to keep tables in: set search_path",
	"42501":            "the user lacks a right",
	"25006":            "it is read-only: is it a standby?",
	tooManyConnections: "the server has no connection left",
	"53100":            "the server's disk is full",
	"57P03":            "the server is starting or stopping",
}

// explain makes one line of an error of the database.
func (s *Postgres) explain(err error) error {
	if err == nil || errors.As(err, new(*DatabaseError)) || errors.As(err, new(*conflictError)) ||
		errors.Is(err, context.Canceled) || errors.Is(err, ErrNotFound) || errors.As(err, new(*UncertainError)) {
		return err
	}
	name := s.pool.name()
	var server *pgconn.PgError
	if errors.As(err, &server) {
		if reason, ok := reasons[server.Code]; ok {
			return &DatabaseError{name, reason + " (" + server.Message + ")", err}
		}
		return &DatabaseError{name, server.Message + " (" + server.Code + ")", err}
	}
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) {
		return &DatabaseError{name, "cannot connect: " + connectReason(err), err}
	}
	if broken(err) {
		return &DatabaseError{name, "the connection broke: " + oneLine(err.Error()), err}
	}
	return err
}

// connectReason is the cause in the words of the network.
func connectReason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the server does not answer"
	case errors.As(err, &dns):
		return dns.Error()
	case errors.As(err, &op):
		return op.Error()
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return oneLine(err.Error())
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// name is what an error calls the database.
func (p *pool) name() string {
	return fmt.Sprintf("%s on %s:%d", p.config.Database, p.config.Host, p.config.Port)
}
