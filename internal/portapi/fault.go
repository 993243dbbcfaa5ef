package portapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// excerptLimit bounds the part of a foreign body that an error may show.
const excerptLimit = 500

// Fault is an answer that is not a success. Its text holds the server's
// message and code and says which call it was; it never holds a secret the
// client knows of.
type Fault struct {
	Status  int
	Code    string // the envelope's "error", such as "not_found"; "" when the answer is no envelope
	Message string
	Details jsonv.Object

	Method, Path string // Path is escaped, with its query, without the host
	RequestID    string // x-trace-id, which Port's support asks for

	// Excerpt is the start of a body that was no JSON envelope.
	Excerpt string
	// Hint says what the practitioner can do, where the client knows.
	Hint string

	gone bool
}

// Error reads: message (code, METHOD path, status 422, request id …).
func (f *Fault) Error() string {
	var b strings.Builder
	switch {
	case f.Message != "":
		b.WriteString(f.Message)
	case f.Code != "":
		b.WriteString(f.Code)
	default:
		b.WriteString(http.StatusText(f.Status))
	}
	end := " "
	for _, p := range f.Problems() {
		if !p.within(f.Message) {
			b.WriteString("\n  - " + p.String())
			end = "\n"
		}
	}
	b.WriteString(end)
	b.WriteString(f.Where())
	return b.String()
}

// Where says which call was refused, what support asks for, and the hint.
func (f *Fault) Where() string {
	var b strings.Builder
	b.WriteString("(")
	if f.Code != "" {
		b.WriteString(f.Code + ", ")
	}
	fmt.Fprintf(&b, "%s %s, status %d", f.Method, f.Path, f.Status)
	if f.RequestID != "" {
		b.WriteString(", request id " + f.RequestID)
	}
	b.WriteString(")")
	if f.Excerpt != "" {
		b.WriteString("\nThe answer begins: " + f.Excerpt)
	}
	if f.Hint != "" {
		b.WriteString("\n" + f.Hint)
	}
	return b.String()
}

// Problem is one entry of details.errors, reference/catalog.md §1.2.
type Problem struct {
	// Pointer locates the offending value in the body that was sent:
	// "/rules/0/level" is {"rules", "0", "level"}.
	Pointer []string
	Message string
	// Reason and Property are set for what a blueprint's schema refuses.
	Reason, Property string
}

// String writes the problem with its pointer in front.
func (p Problem) String() string {
	if len(p.Pointer) == 0 {
		return p.Message
	}
	return "/" + strings.Join(p.Pointer, "/") + ": " + p.Message
}

// within reports whether a message says all that the problem does.
func (p Problem) within(message string) bool {
	return strings.Contains(message, p.Message) && strings.Contains(message, strings.Join(p.Pointer, "/"))
}

// Problems returns the violations the server listed, in its order.
func (f *Fault) Problems() []Problem {
	list, _ := f.Details["errors"].([]any)
	var out []Problem
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, Problem{Message: e})
		case jsonv.Object:
			p := Problem{
				Message:  text(e, "message"),
				Reason:   text(e, "reason"),
				Property: text(e, "property"),
			}
			pointer := text(e, "path")
			if pointer == "" {
				pointer = text(e, "instancePath")
			}
			p.Pointer = parsePointer(pointer)
			if p.Message == "" {
				p.Message = p.Reason
			}
			if p.Message != "" {
				out = append(out, p)
			}
		}
	}
	return out
}

func parsePointer(s string) []string {
	s, ok := strings.CutPrefix(s, "/")
	if !ok {
		return nil
	}
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

// ConnectionError is a call that got no answer: the server could not be
// reached, broke off or took too long.
type ConnectionError struct {
	Method, Path string
	Err          error
}

// Error names the call and what went wrong.
func (e *ConnectionError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Method, e.Path, e.Err)
}

// Unwrap gives the cause, so that errors.Is finds context.Canceled.
func (e *ConnectionError) Unwrap() error { return e.Err }

// AsFault finds the server's refusal in err.
func AsFault(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// IsNotFound reports whether err is the API saying that an object is not
// there. A 404 with an HTML page is not: it comes from a proxy or a wrong base
// URL, and must not make resources vanish from a state.
func IsNotFound(err error) bool {
	f, ok := AsFault(err)
	return ok && f.gone
}

// NotFound is the fault of a part that is missing from a document that was read,
// so that it counts as gone like an object of its own.
func NotFound(message string) error {
	return &Fault{Status: http.StatusNotFound, Code: "not_found", Message: message, gone: true}
}

// IsConflict reports whether err is a 409: the object exists already.
func IsConflict(err error) bool {
	f, ok := AsFault(err)
	return ok && f.Status == http.StatusConflict
}

// HasCode reports whether err carries the given error code of
// reference/catalog.md §1.2.
func HasCode(err error, code string) bool {
	f, ok := AsFault(err)
	return ok && f.Code == code
}

// excerpt cuts body to the limit at a rune's boundary, on one line. The mark of
// the cut is within the limit.
func excerpt(body []byte, limit int) string {
	cut := len(body) > limit
	if cut {
		limit -= len("…")
		body = body[:limit]
		for len(body) > 0 && !utf8.Valid(body) && len(body) > limit-utf8.UTFMax {
			body = body[:len(body)-1]
		}
	}
	s := strings.ToValidUTF8(string(bytes.TrimSpace(body)), "\uFFFD")
	s = strings.Join(strings.Fields(s), " ")
	if cut {
		s += "…"
	}
	return s
}

func text(o jsonv.Object, key string) string {
	s, _ := o[key].(string)
	return s
}
