package portapi

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

const (
	// subsystem is the name the log of requests goes under.
	subsystem = "portapi"
	// bodyLogLimit bounds a body in the log.
	bodyLogLimit = 4096
	// longWait is a wait that a practitioner will notice.
	longWait = 5 * time.Second
	mask     = "***"
)

// withLog gives ctx the client's log, whose level TF_LOG_PROVIDER_PORT_API can
// set apart. The credentials are masked wherever they might turn up.
func withLog(ctx context.Context, c *Client) context.Context {
	ctx = tflog.NewSubsystem(ctx, subsystem,
		tflog.WithLevelFromEnv("TF_LOG_PROVIDER", "PORT", "API"), tflog.WithRootFields())
	if !tflog.SubsystemIsDebug(ctx, subsystem) {
		return ctx
	}
	for _, s := range []string{c.opts.Secret, c.opts.Token} {
		if s != "" {
			ctx = tflog.SubsystemMaskLogStrings(ctx, subsystem, s)
		}
	}
	return ctx
}

type fields = map[string]any

func logRequest(ctx context.Context, k *call, n int) {
	if !tflog.SubsystemIsDebug(ctx, subsystem) {
		return
	}
	f := fields{"method": k.Method, "path": k.path, "attempt": n}
	if k.body != nil {
		f["body"] = loggable(k.body, k.secrets)
	}
	tflog.SubsystemDebug(ctx, subsystem, "request", f)
}

func logAnswer(ctx context.Context, k *call, n int, took time.Duration, body []byte, out outcome) {
	if !tflog.SubsystemIsDebug(ctx, subsystem) {
		return
	}
	tflog.SubsystemDebug(ctx, subsystem, "answer", fields{
		"method": k.Method, "path": k.path, "attempt": n, "status": out.status,
		"request_id": out.header.Get("X-Trace-Id"), "took": took.String(), "body": loggable(body, k.secrets),
	})
}

func logFailure(ctx context.Context, k *call, n int, err error) {
	tflog.SubsystemDebug(ctx, subsystem, "no answer",
		fields{"method": k.Method, "path": k.path, "attempt": n, "error": err.Error()})
}

func logRetry(ctx context.Context, k *call, n int, pause time.Duration, out outcome) {
	f := fields{
		"method": k.Method, "path": k.path, "attempt": n, "status": out.status,
		"pause": pause.String(), "error": out.err.Error(),
	}
	if pause >= longWait {
		tflog.SubsystemWarn(ctx, subsystem, "the API asks to wait "+pause.Round(time.Second).String()+" before trying again", f)
		return
	}
	tflog.SubsystemInfo(ctx, subsystem, "trying again", f)
}

func logPacing(ctx context.Context, verbose bool, pause time.Duration) {
	f := fields{"pause": pause.String()}
	switch {
	case pause >= longWait:
		tflog.SubsystemWarn(ctx, subsystem,
			"the API's rate limit is used up: waiting "+pause.Round(time.Second).String(), f)
	case verbose:
		tflog.SubsystemInfo(ctx, subsystem, "waiting for the rate limit", f)
	default:
		tflog.SubsystemDebug(ctx, subsystem, "waiting for the rate limit", f)
	}
}

func logLimit(ctx context.Context, size, left, reset int) {
	tflog.SubsystemInfo(ctx, subsystem, "rate limit", fields{"limit": size, "remaining": left, "reset": reset})
}

func logTokenKept(ctx context.Context, err error) {
	tflog.SubsystemWarn(ctx, subsystem, "the access token could not be renewed; the old one is used on",
		fields{"error": err.Error()})
}

func logBatch(ctx context.Context, blueprint, what string, f fields) {
	f["blueprint"] = blueprint
	tflog.SubsystemDebug(ctx, subsystem, what, f)
}

// loggable is a body with secrets masked and its tail cut.
func loggable(body []byte, secrets *redactor) string {
	v, err := jsonv.Decode(body)
	if err != nil {
		return excerpt([]byte(secrets.clean(string(body))), excerptLimit)
	}
	return excerpt([]byte(secrets.clean(string(jsonv.Encode(masked(v))))), bodyLogLimit)
}

// secretKey reports keys whose values no log may hold.
func secretKey(key string) bool {
	k := strings.ToLower(key)
	for _, part := range [...]string{"secret", "token", "password", "authorization", "apikey", "api_key", "privatekey", "private_key"} {
		if strings.Contains(k, part) {
			return true
		}
	}
	return false
}

// masked copies v with the values of secret keys replaced.
func masked(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = masked(v[i])
		}
		return out
	case jsonv.Object:
		out := make(jsonv.Object, len(v))
		for key, e := range v {
			switch {
			case e != nil && secretKey(key):
				out[key] = mask
			default:
				out[key] = masked(e)
			}
		}
		return out
	}
	return v
}

// redactor takes known secrets out of texts that come from elsewhere: a server
// may quote in its message what it was sent. It is built when first needed, and
// belongs to one call, so to one goroutine.
type redactor struct {
	body     []byte
	known    func() []string
	replacer *strings.Replacer
}

func (r *redactor) build() {
	found := r.known()
	if v, err := jsonv.Decode(r.body); err == nil {
		found = appendSecrets(found, v, false)
	}
	pairs := []string{}
	for _, s := range found {
		if len(s) < 4 { // shorter ones would mask ordinary words
			continue
		}
		pairs = append(pairs, s, mask)
		if quoted := string(bytes.Trim(jsonv.Encode(s), `"`)); quoted != s {
			pairs = append(pairs, quoted, mask)
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// appendSecrets collects the strings under secret keys, except for the names
// of secrets, which messages need. An object under such a key is looked at key
// by key: in a schema, a property called token is no secret.
func appendSecrets(found []string, v any, secret bool) []string {
	switch v := v.(type) {
	case string:
		if secret {
			found = append(found, v)
		}
	case []any:
		for _, e := range v {
			found = appendSecrets(found, e, secret)
		}
	case jsonv.Object:
		for key, e := range v {
			k := strings.ToLower(key)
			name := strings.HasSuffix(k, "name") || strings.HasSuffix(k, "type")
			found = appendSecrets(found, e, !name && secretKey(key))
		}
	}
	return found
}

func (r *redactor) clean(s string) string {
	if r.replacer == nil {
		r.build()
	}
	return r.replacer.Replace(s)
}

func (r *redactor) cleanValue(v any) any {
	switch v := v.(type) {
	case string:
		return r.clean(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = r.cleanValue(v[i])
		}
		return out
	case jsonv.Object:
		out := make(jsonv.Object, len(v))
		for key, e := range v {
			out[key] = r.cleanValue(e)
		}
		return out
	}
	return v
}
