package httpapi

import (
	"net/url"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// parseQuery reads a query string. Unlike net/url it takes a semicolon for an
// ordinary character, since values such as a User-Agent may hold one.
func parseQuery(raw string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		k, err1 := url.QueryUnescape(key)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, fault.BadRequest("The query parameter %q is not percent-encoded properly", pair)
		}
		values[k] = append(values[k], v)
	}
	return values, nil
}

// text is a parameter's value; an empty one counts as absent
// (reference/catalog.md §1.5).
func (c *Call) text(name string) string { return c.query.Get(name) }

// flag is a boolean parameter. Anything but the words true and false is its
// default: one client sends the address of the value it means
// (reference/catalog.md §1.5).
func (c *Call) flag(name string) bool {
	return strings.EqualFold(strings.TrimSpace(c.query.Get(name)), "true")
}

// list is an array parameter: repeated, with brackets, or joined by commas.
func (c *Call) list(name string) []string {
	var out []string
	for _, key := range []string{name, name + "[]"} {
		for _, value := range c.query[key] {
			for item := range strings.SplitSeq(value, ",") {
				if item = strings.TrimSpace(item); item != "" {
					out = append(out, item)
				}
			}
		}
	}
	return out
}
