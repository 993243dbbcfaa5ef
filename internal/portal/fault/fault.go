// Package fault is the one error type that the portal shows to callers: an HTTP
// status, a machine name and a text (reference/catalog.md §1.2). Anything else
// that reaches the HTTP layer is an internal error and its text stays in the log.
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
)

// Fault is an error answer. Details is what the answer carries under "details",
// nil when there is nothing to add.
type Fault struct {
	Status  int
	Code    string
	Message string
	Details map[string]any
}

func (f *Fault) Error() string { return f.Code + ": " + f.Message }

// New makes a fault; the constructors below name the usual ones.
func New(status int, code, format string, args ...any) *Fault {
	return &Fault{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// With returns a copy of f that carries one more detail.
func (f *Fault) With(key string, value any) *Fault {
	c := *f
	c.Details = make(map[string]any, len(f.Details)+1)
	for k, v := range f.Details {
		c.Details[k] = v
	}
	c.Details[key] = value
	return &c
}

// NotFound says that a thing named in a path or body is missing. Clients match
// "was not found" to recognise a dependency that may still appear
// (reference/catalog.md §1.2).
func NotFound(kind, id string) *Fault {
	return New(http.StatusNotFound, "not_found", "%s with identifier \"%s\" was not found", kind, id).
		With("resource", kind).With("identifier", id)
}

// BadRequest is for text that does not parse at all.
func BadRequest(format string, args ...any) *Fault {
	return New(http.StatusBadRequest, "bad_request", format, args...)
}

// Taken refuses an identifier that exists; the message holds "taken", which one
// client matches (reference/clients.md §10).
func Taken(kind, id string) *Fault {
	return New(http.StatusConflict, "identifier_taken", "%s with identifier \"%s\" already exists: the identifier is taken", kind, id).
		With("resource", kind).With("identifier", id)
}

// HasDependents refuses a deletion; the text names what is in the way.
func HasDependents(format string, args ...any) *Fault {
	return New(http.StatusForbidden, "has_dependents", format, args...)
}

// NotPermitted is [MissingPermissions] of what the words after "You are not
// permitted to" say.
func NotPermitted(format string, args ...any) *Fault {
	return MissingPermissions("You are not permitted to "+format, args...)
}

// IsNotFound tells whether an error is a fault that says that something is not there.
func IsNotFound(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Status == http.StatusNotFound
}

// MissingPermissions refuses what a valid caller has no right to
// (reference/identity.md §1.4 step 8).
func MissingPermissions(format string, args ...any) *Fault {
	return New(http.StatusForbidden, "missing_permissions", format, args...)
}

// Protected refuses a change to something that Port manages itself.
func Protected(format string, args ...any) *Fault {
	return New(http.StatusForbidden, "protected_resource", format, args...)
}

// Unauthorized answers a missing, malformed, expired or revoked token.
func Unauthorized(format string, args ...any) *Fault {
	return New(http.StatusUnauthorized, "unauthorized", format, args...)
}

// Problem is one violation inside a body. Path is a JSON pointer; Keyword, the
// word of JSON Schema that is violated, Property, Relation and Reason are set where
// the reference asks for them.
type Problem struct {
	Path     string
	Message  string
	Keyword  string
	Property string
	Relation string
	Reason   string
}

// Problems collects violations so that an answer can name all of them (V3).
type Problems []Problem

// Add appends one violation at a JSON pointer.
func (p *Problems) Add(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// UnknownKey is the message for a key that a CLOSED object does not take. One
// client extracts the key from these words and tries again without it
// (reference/portal.md §0).
func UnknownKey(key string, takes ...string) string {
	message := fmt.Sprintf("must NOT have additional properties, additional property: \"%s\"", key)
	if len(takes) > 0 {
		message += "; the object takes only " + strings.Join(takes, ", ")
	}
	return message
}

// Invalid turns the collected violations into a 422 invalid_request, or nil
// when there are none. Errors are sorted by pointer.
func (p Problems) Invalid() error {
	return p.Fault(http.StatusUnprocessableEntity, "invalid_request")
}

// Fault turns the collected violations into one fault with details.errors[], or
// nil when there are none.
func (p Problems) Fault(status int, code string) error {
	if len(p) == 0 {
		return nil
	}
	sorted := append(Problems(nil), p...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	entries := make([]any, len(sorted))
	texts := make([]string, len(sorted))
	for i, e := range sorted {
		entry := map[string]any{"path": e.Path, "message": e.Message}
		for key, value := range map[string]string{"keyword": e.Keyword, "property": e.Property, "relation": e.Relation, "reason": e.Reason} {
			if value != "" {
				entry[key] = value
			}
		}
		entries[i] = entry
		texts[i] = strings.TrimSpace(e.Path + " " + e.Message)
	}
	return New(status, code, "%s", strings.Join(texts, "; ")).With("errors", entries)
}

// ProblemsOf are the violations that a fault was made of. Any other error is one of
// its own at a JSON pointer; no error is none.
func ProblemsOf(err error, at string) (p Problems) {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		list, _ := f.Details["errors"].([]any)
		for _, e := range list {
			entry, _ := e.(map[string]any)
			text := func(key string) string { s, _ := entry[key].(string); return s }
			p = append(p, Problem{
				Path: text("path"), Keyword: text("keyword"), Message: text("message"),
				Property: text("property"), Relation: text("relation"), Reason: text("reason"),
			})
		}
	}
	if len(p) == 0 {
		p.Add(at, "%s", err.Error())
	}
	return p
}
