package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements. It speaks to the driver
// without database/sql, whose pool, locks and conversions cost more than most
// of the statements here. It belongs to one goroutine at a time.
type conn struct {
	raw  driver.Conn
	idle map[string][]preparedStmt
}

type preparedStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// openConn opens path; parameters are those of SQLite's file URIs.
func openConn(path, parameters string, pragmas ...string) (*conn, error) {
	where := url.URL{Path: filepath.ToSlash(path)}
	raw, err := new(sqlite.Driver).Open("file:" + where.EscapedPath() + "?_error_rc=1&" + parameters)
	if err != nil {
		return nil, err
	}
	c := &conn{raw: raw, idle: map[string][]preparedStmt{}}
	for _, p := range pragmas {
		if err := c.run("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *conn) close() error {
	for _, list := range c.idle {
		for _, s := range list {
			if err := s.Close(); err != nil {
				return errors.Join(err, c.raw.Close())
			}
		}
	}
	c.idle = nil
	return c.raw.Close()
}

// statement takes a prepared statement for as long as it runs; the same text
// may be running more than once, as in a scan inside a scan.
func (c *conn) statement(text string) (preparedStmt, error) {
	if list := c.idle[text]; len(list) > 0 {
		c.idle[text] = list[:len(list)-1]
		return list[len(list)-1], nil
	}
	s, err := c.raw.Prepare(text)
	if err != nil {
		return nil, err
	}
	p, ok := s.(preparedStmt)
	if !ok {
		return nil, fmt.Errorf("the SQLite driver's %T lacks a method", s)
	}
	return p, nil
}

func (c *conn) release(text string, s preparedStmt) { c.idle[text] = append(c.idle[text], s) }

func arguments(values []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(values))
	for i, v := range values {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

// run executes a statement that gives no rows.
func (c *conn) run(text string, values ...any) error {
	_, err := c.insert(text, values...)
	return err
}

// insert is run for a statement whose new row id matters.
func (c *conn) insert(text string, values ...any) (int64, error) {
	s, err := c.statement(text)
	if err != nil {
		return 0, err
	}
	defer c.release(text, s)
	result, err := s.ExecContext(context.Background(), arguments(values))
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// rows are the results of a running query.
type rows struct {
	conn   *conn
	text   string
	stmt   preparedStmt
	rows   driver.Rows
	values []driver.Value
}

func (c *conn) query(text string, values ...any) (*rows, error) {
	s, err := c.statement(text)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(context.Background(), arguments(values))
	if err != nil {
		c.release(text, s)
		return nil, err
	}
	return &rows{c, text, s, r, make([]driver.Value, len(r.Columns()))}, nil
}

func (r *rows) next() (bool, error) {
	err := r.rows.Next(r.values)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

func (r *rows) close() error {
	err := r.rows.Close()
	r.conn.release(r.text, r.stmt)
	return err
}

func (r *rows) str(column int) string {
	s, _ := r.values[column].(string)
	return s
}

func (r *rows) num(column int) int64 {
	i, _ := r.values[column].(int64)
	return i
}

// row runs a query for its first row; found is false when there is none. The
// values stay readable.
func (c *conn) row(text string, values ...any) (r *rows, found bool, err error) {
	r, err = c.query(text, values...)
	if err != nil {
		return nil, false, err
	}
	found, err = r.next()
	return r, found, errors.Join(err, r.close())
}

// number runs a query for one integer.
func (c *conn) number(text string) (int64, error) {
	r, found, err := c.row(text)
	if err != nil || !found {
		return 0, err
	}
	return r.num(0), nil
}

// code is SQLite's primary result code of err, 0 when it is no SQLite error.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// busy reports whether err is a lock of another connection that will go away.
func busy(err error) bool {
	switch code(err) {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
		return true
	}
	return false
}
