package httpapi

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

// succeed writes {"ok": true} and what the handler returned.
func (x *exchange) succeed(result any) {
	if x.route != nil && x.route.scim {
		x.succeedSCIM(result)
		return
	}
	body := jsonv.Object{"ok": true}
	if parts, ok := result.(jsonv.Object); ok {
		maps.Copy(body, parts)
	}
	if x.status == 0 {
		x.status = http.StatusOK
	}
	x.write(body)
}

// fail writes the error envelope of reference/catalog.md §1.2. Only a fault's
// text reaches the caller; of anything else they get an id to ask about.
func (x *exchange) fail(err error) {
	x.failure = err
	var f *fault.Fault
	switch {
	case errors.As(err, &f):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f = fault.New(http.StatusServiceUnavailable, "unavailable", "The request ended before it could be answered (id %s)", x.trace)
	default:
		f = fault.New(http.StatusInternalServerError, "internal_error", "Something went wrong on the server's side (id %s)", x.trace).With("id", x.trace)
	}
	x.status = f.Status
	if f.Status == http.StatusTooManyRequests {
		wait := jsonv.Int(x.api.rate.state(x.call.Who).reset)
		if n, ok := f.Details[identity.RetryAfter].(json.Number); ok {
			wait = n
		}
		x.w.Header().Set("Retry-After", wait.String())
	}
	body := jsonv.Object{"ok": false, "error": f.Code, "message": f.Message}
	if len(f.Details) > 0 {
		body["details"] = f.Details
	}
	if x.route != nil && x.route.scim {
		x.failSCIM(f, body)
	}
	x.write(body)
}

func (x *exchange) write(body jsonv.Object) {
	text := jsonv.Encode(body)
	h := x.w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("X-Trace-Id", x.trace)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "x-trace-id, x-ratelimit-limit, x-ratelimit-period, x-ratelimit-remaining, x-ratelimit-reset, Retry-After")
	x.api.rate.state(x.call.Who).headers(h)
	x.size = len(text)
	h.Set("Vary", "Accept-Encoding")
	if len(text) >= worthCompressing && x.r.Method != http.MethodHead && acceptsGzip(x.r.Header) {
		x.writeCompressed(text)
		return
	}
	if x.status == http.StatusNoContent {
		x.w.WriteHeader(x.status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	x.w.WriteHeader(x.status)
	if x.r.Method == http.MethodHead {
		return
	}
	if _, err := x.w.Write(text); err != nil && x.failure == nil {
		x.failure = err
	}
}

// worthCompressing is the size below which gzip costs more than it saves.
const worthCompressing = 1400

var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		return nil
	}
	return w
}}

func (x *exchange) writeCompressed(text []byte) {
	x.w.Header().Set("Content-Encoding", "gzip")
	x.w.WriteHeader(x.status)
	z, ok := compressors.Get().(*gzip.Writer)
	if !ok {
		z = gzip.NewWriter(x.w)
	}
	defer compressors.Put(z)
	z.Reset(x.w)
	_, err := z.Write(text)
	if err := errors.Join(err, z.Close()); err != nil && x.failure == nil {
		x.failure = err
	}
}

// acceptsGzip reads Accept-Encoding; "gzip;q=0" is a refusal.
func acceptsGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") || strings.TrimSpace(coding) == "*" {
			q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			return !ok || err != nil || weight > 0
		}
	}
	return false
}
