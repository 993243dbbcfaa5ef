package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// MaxBody is the largest request body (reference/catalog.md §1.1 T8).
const MaxBody = 1 << 20

// readAhead is how much of an oversized body is thrown away before the refusal is
// written: a client that is still sending when the connection closes sees a reset
// instead of the answer (reference/clients.md §11 C10).
const readAhead = 64 << 20

// readBody reads the whole body, or refuses it by size.
func (a *API) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	announced := r.ContentLength
	if announced > a.body {
		// A client that waits for "100 Continue" has sent nothing yet: the refusal
		// reaches it before the body leaves.
		if strings.EqualFold(r.Header.Get("Expect"), "100-continue") || !discard(r.Body) {
			w.Header().Set("Connection", "close")
		}
		return nil, a.tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, a.body+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fault.New(http.StatusRequestTimeout, "request_timeout", "The request body did not arrive in time")
	case err != nil:
		return nil, fault.BadRequest("The request body could not be read: it ended early or is not encoded as its headers say")
	case int64(len(body)) > a.body:
		if !discard(r.Body) {
			w.Header().Set("Connection", "close")
		}
		return nil, a.tooLarge()
	}
	return body, nil
}

// discard reads a bounded rest and reports whether that was all.
func discard(r io.Reader) bool {
	_, err := io.CopyN(io.Discard, r, readAhead)
	return errors.Is(err, io.EOF)
}

func (a *API) tooLarge() error {
	// portal.md §0 writes 1MiB, catalog.md §1.1 T8 1 MiB; the message holds both.
	limit := "1MiB"
	text := "1 MiB"
	if a.body != MaxBody {
		text = string(jsonv.Int(a.body)) + " bytes"
		limit = text
	}
	return fault.New(http.StatusRequestEntityTooLarge, "payload_too_large", "Request body is too large (limit is %s): a body has at most %s", limit, text)
}

// decodeBody reads the JSON text of a route that takes a body
// (reference/catalog.md §1.1 T9).
func decodeBody(text []byte) (any, error) {
	if len(text) == 0 {
		return nil, fault.BadRequest("The request body is empty: want JSON")
	}
	if !utf8.Valid(text) {
		return nil, fault.BadRequest("The request body is not valid JSON: it is not UTF-8 text")
	}
	v, err := jsonv.Decode(text)
	if err != nil {
		return nil, fault.BadRequest("The request body is not valid JSON: %s", err)
	}
	if !jsonv.Shallow(v) {
		return nil, fault.New(http.StatusUnprocessableEntity, "invalid_request", "The request body is nested more than %d levels deep", jsonv.MaxDepth)
	}
	return v, nil
}
