package scim

import (
	"slices"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// maxResults is the size of the largest page, and of one whose size nobody asks for.
const maxResults = 200

// List answers GET of the resources of a kind: those that match the filter, a page
// of them (RFC 7644 §3.4.2).
func (s *Server) List(r *Request) (jsonv.Object, error) {
	f, err := parseFilter(r.Param("filter"))
	if err != nil {
		return nil, err
	}
	start, err := number(r, "startIndex", 1)
	if err != nil {
		return nil, err
	}
	count, err := number(r, "count", maxResults)
	if err != nil {
		return nil, err
	}
	all, err := s.kind(r.Kind).all(r, f)
	if err != nil {
		return nil, err
	}
	if f != nil {
		all = slices.DeleteFunc(all, func(v jsonv.Object) bool { return !f.match(v) })
	}
	start, count = max(start, 1), min(max(count, 0), maxResults)
	page := all[min(start-1, len(all)):]
	page = page[:min(count, len(page))]
	resources := make([]any, len(page))
	for n, v := range page {
		resources[n] = shown(r, v)
	}
	return list(resources, len(all), start), nil
}

func list(resources []any, total, start int) jsonv.Object {
	return jsonv.Object{
		"schemas": []any{listResponse}, "totalResults": jsonv.Int(total), "startIndex": jsonv.Int(start),
		"itemsPerPage": jsonv.Int(len(resources)), "Resources": resources,
	}
}

func number(r *Request, name string, otherwise int) (int, error) {
	text := r.Param(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, refuse(invalidValue, "%s must be a whole number", name)
	}
	return n, nil
}

// always are the attributes that no answer goes without.
var always = []string{"id", "schemas"}

// shown is a resource with the attributes that were asked for (RFC 7644 §3.9).
func shown(r *Request, v jsonv.Object) jsonv.Object {
	only, less := names(r.Param("attributes")), names(r.Param("excludedAttributes"))
	if len(only) == 0 && len(less) == 0 {
		return v
	}
	out := jsonv.Object{}
	for key, value := range v {
		lower := strings.ToLower(key)
		switch {
		case slices.Contains(always, lower):
		case len(only) > 0 && !only[lower] || less[lower]:
			continue
		}
		out[key] = value
	}
	return out
}

// hides tells whether an answer goes without an attribute, so that it need not be
// gathered, and no filter asks for it.
func hides(r *Request, name string) bool {
	only, less := names(r.Param("attributes")), names(r.Param("excludedAttributes"))
	return (less[name] || len(only) > 0 && !only[name]) && !strings.Contains(strings.ToLower(r.Param("filter")), name)
}

// names are those of attributes without the parts inside them.
func names(text string) map[string]bool {
	out := map[string]bool{}
	for name := range strings.SplitSeq(text, ",") {
		if a, err := parseAttribute(strings.TrimSpace(name)); err == nil {
			key := a.name
			if a.extension != "" {
				key = a.extension
			}
			out[strings.ToLower(key)] = true
		}
	}
	return out
}
