package provider

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// collections are the maps of a blueprint's document that users add to, with the
// attribute that shows each; properties are split by type.
var collections = []struct {
	attribute string
	path      []string
}{
	{"properties", []string{"schema", "properties"}},
	{"relations", []string{"relations"}},
	{"mirror_properties", []string{"mirrorProperties"}},
	{"calculation_properties", []string{"calculationProperties"}},
}

// systemPrefix begins the identifiers of system blueprints
// (reference/catalog.md §3.1 Y1).
const systemPrefix = "_"

// structure is the built-in part of a system blueprint, which never changes. It
// is shared: read it only. There is none of other blueprints: a 404 fault.
func (s *session) structure(ctx context.Context, id string) (jsonv.Object, error) {
	c := s.catalogue(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.structure != nil {
		return c.structure, nil
	}
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"blueprints", "system", id, "structure"}})
	if err != nil {
		return nil, err
	}
	c.structure, err = envelope(answer, "blueprint")
	return c.structure, err
}

// builtIn is the built-in part of any blueprint: nil of one that users made.
func (s *session) builtIn(ctx context.Context, id string) (jsonv.Object, error) {
	if !strings.HasPrefix(id, systemPrefix) {
		return nil, nil
	}
	structure, err := s.structure(ctx, id)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	return structure, err
}

// setMap replaces the object at a path of a document.
func setMap(document jsonv.Object, path []string, entries jsonv.Object) {
	for _, key := range path[:len(path)-1] {
		next := maps.Clone(jsonv.Map(document, key))
		if next == nil {
			next = jsonv.Object{}
		}
		document[key], document = next, next
	}
	document[path[len(path)-1]] = entries
}
