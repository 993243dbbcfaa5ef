package portal

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/ident"
)

// Timeouts of the server. Reading is bounded so that slow senders cannot hold
// connections for ever; an answer may take as long as it takes.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	headerLimit   = 64 << 10
)

// NewServer makes the HTTP server for a handler of this package; [Listen] makes
// its listener.
func NewServer(ctx context.Context, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerLimit,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}

// Listen opens a TCP listener whose connections answer in JSON even where
// net/http refuses a request before any handler sees it (malformed request lines,
// escapes and headers): every answer of the API is a JSON object with "ok"
// (reference/catalog.md §1.1 T2).
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return listener{l}, nil
}

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type conn struct{ net.Conn }

// refusal is how net/http writes the answers it makes up itself: in one write,
// as plain text, before it closes the connection.
var refusal = []byte("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

func (c *conn) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) || !bytes.Contains(p[:min(len(p), 256)], refusal) {
		return c.Conn.Write(p)
	}
	line, _, _ := strings.Cut(string(p), "\r\n")
	if _, err := c.Conn.Write(refusalJSON(strings.TrimPrefix(line, "HTTP/1.1 "))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite lets net/http close in two steps, so that a client that is still
// sending can read the answer.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func refusalJSON(status string) []byte {
	code := "bad_request"
	if !strings.HasPrefix(status, "400") {
		_, text, _ := strings.Cut(status, " ")
		code = strings.ReplaceAll(strings.ToLower(text), " ", "_")
	}
	body := fmt.Sprintf(`{"error":%q,"message":"The request is malformed: %s","ok":false}`, code, status)
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\nX-Trace-Id: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, ident.Random().Trace(), len(body), body)
}
