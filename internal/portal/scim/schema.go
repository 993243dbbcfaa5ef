package scim

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// discovery describes the service to its clients (RFC 7643 §5–§7).
//
//go:embed discovery.json
var discovery []byte

var declared = sync.OnceValue(func() jsonv.Object {
	doc, err := jsonv.DecodeObject(discovery)
	if err != nil {
		panic("scim: discovery.json: " + err.Error())
	}
	return doc
})

// Config answers GET ServiceProviderConfig.
func (s *Server) Config() jsonv.Object { return jsonv.Map(declared(), "config") }

// Described answers GET of ResourceTypes or Schemas: all, or the one of an id.
func (s *Server) Described(what, id string) (jsonv.Object, error) {
	all := jsonv.List(declared(), what)
	if id == "" {
		return list(all, len(all), 1), nil
	}
	for _, v := range all {
		if o, ok := v.(jsonv.Object); ok && strings.EqualFold(jsonv.String(o, "id"), id) {
			return o, nil
		}
	}
	return nil, fault.NotFound(what, id)
}
