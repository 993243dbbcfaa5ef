package runs

import (
	"net/url"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// discreet is what a backend answered, without the secrets that it was sent: some
// repeat what they are asked, and runs are read by people who may not know them
// (reference/actions.md §3.4). sealed is what it was sent, for a run.
func (r *Runs) discreet(tx store.Tx, org, run, sealed string, response any) (any, error) {
	secrets, err := r.deps.Vault.Secrets(tx, org)
	if err != nil || len(secrets) == 0 || sealed == "" {
		return response, err
	}
	sent, err := r.deps.Vault.Open(sealed, run)
	if err != nil {
		return nil, err
	}
	used := map[string]string{}
	for name, v := range secrets {
		if hide(sent, map[string]string{name: v}) != sent {
			used[name] = v
		}
	}
	return hideIn(response, used), nil
}

// hideIn is [hide] for all texts of a value.
func hideIn(v any, secrets map[string]string) any {
	if len(secrets) == 0 {
		return v
	}
	switch v := v.(type) {
	case string:
		return hide(v, secrets)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = hideIn(e, secrets)
		}
		return out
	case jsonv.Object:
		out := make(jsonv.Object, len(v))
		for key, e := range v {
			out[hide(key, secrets)] = hideIn(e, secrets)
		}
		return out
	}
	return v
}

// hide keeps the values of secrets out of a text that people read, also as they stand
// in URLs and in JSON. Short ones are left: they would be found where they are not
// meant.
func hide(text string, secrets map[string]string) string {
	const least = 4
	var spellings []string
	for _, v := range secrets {
		if len(v) >= least {
			quoted := string(jsonv.Encode(v))
			spellings = append(spellings, v, quoted[1:len(quoted)-1], url.QueryEscape(v), url.PathEscape(v))
		}
	}
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	for _, v := range spellings {
		text = strings.ReplaceAll(text, v, masked)
	}
	return text
}
