// Package scim speaks SCIM 2.0 (RFC 7643, RFC 7644) with the identity provider of
// an organization: it turns users and groups into resources and back, filters,
// patches and pages them. What provisioning does to an organization is identity's to
// say (reference/identity.md §8.2). It knows nothing of HTTP but statuses.
package scim

import (
	"context"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Base is the path that all routes of this package begin with.
const Base = "/scim/v2"

// MediaType is what answers are sent as.
const MediaType = "application/scim+json"

// Server answers the requests of an identity provider. It is safe for concurrent use.
type Server struct{ identity *identity.Identity }

// New makes a server over the users and teams of an organization.
func New(i *identity.Identity) *Server { return &Server{i} }

// Request is one request in its transaction.
type Request struct {
	Ctx   context.Context //nolint:containedctx // a request lives as long as the call whose context it is
	Tx    store.Tx
	Actor catalog.Actor
	// ID names the resource; Kind is "Users" or "Groups".
	Kind, ID string
	// Param gives a query parameter, "" when it is absent.
	Param func(name string) string
	Body  any
}

// The messages of the protocol (RFC 7644 §8.2).
const (
	messages     = "urn:ietf:params:scim:api:messages:2.0:"
	listResponse = messages + "ListResponse"
	patchOp      = messages + "PatchOp"
	errorMessage = messages + "Error"
)

// The kinds of errors of the protocol, which faults carry as their code
// (RFC 7644 §3.12).
const (
	invalidFilter = "invalidFilter"
	invalidSyntax = "invalidSyntax"
	invalidPath   = "invalidPath"
	invalidValue  = "invalidValue"
	noTarget      = "noTarget"
	mutability    = "mutability"
	uniqueness    = "uniqueness"
)

func refuse(kind, format string, args ...any) error {
	return fault.New(http.StatusBadRequest, kind, format, args...)
}

// Error is a fault in the words of the protocol.
func Error(f *fault.Fault) (status int, body jsonv.Object) {
	status, kind := f.Status, ""
	switch f.Code {
	case invalidFilter, invalidSyntax, invalidPath, invalidValue, noTarget, mutability, uniqueness:
		kind = f.Code
	case "bad_request":
		kind = invalidSyntax
	}
	switch status {
	case http.StatusConflict:
		kind = uniqueness
	case http.StatusUnprocessableEntity:
		// The protocol knows no 422.
		status, kind = http.StatusBadRequest, invalidValue
	}
	body = jsonv.Object{"schemas": []any{errorMessage}, "status": string(jsonv.Int(status)), "detail": f.Message}
	if kind != "" {
		body["scimType"] = kind
	}
	return status, body
}

// kind is how the resources of one kind are read and written.
type kind interface {
	// all yields the resources that may match a filter, in order of their creation.
	all(r *Request, f filter) ([]jsonv.Object, error)
	read(r *Request) (jsonv.Object, error)
	create(r *Request, resource jsonv.Object) (jsonv.Object, error)
	// replace makes the resource what it is given; nil tells that it is gone.
	replace(r *Request, resource jsonv.Object) (jsonv.Object, error)
	remove(r *Request) error
}

func (s *Server) kind(name string) kind {
	if name == "Groups" {
		return groups{s.identity}
	}
	return users{s.identity}
}

// Create answers POST of a resource.
func (s *Server) Create(r *Request) (jsonv.Object, error) {
	body, err := resourceOf(r.Body)
	if err != nil {
		return nil, err
	}
	return s.kind(r.Kind).create(r, body)
}

// Read answers GET of one resource.
func (s *Server) Read(r *Request) (jsonv.Object, error) {
	found, err := s.kind(r.Kind).read(r)
	if err != nil {
		return nil, err
	}
	return shown(r, found), nil
}

// Put answers PUT of a resource.
func (s *Server) Put(r *Request) (jsonv.Object, error) {
	body, err := resourceOf(r.Body)
	if err != nil {
		return nil, err
	}
	return s.kind(r.Kind).replace(r, body)
}

// Patch answers PATCH of a resource.
func (s *Server) Patch(r *Request) (jsonv.Object, error) {
	ops, err := operations(r.Body)
	if err != nil {
		return nil, err
	}
	k := s.kind(r.Kind)
	now, err := k.read(r)
	if err != nil {
		return nil, err
	}
	changed := jsonv.CloneObject(now)
	for _, op := range ops {
		if err := op.apply(changed); err != nil {
			return nil, err
		}
	}
	if body, ok := r.Body.(jsonv.Object); ok {
		changed["meta"] = member(body, "meta")
	}
	return k.replace(r, changed)
}

// Delete answers DELETE of a resource.
func (s *Server) Delete(r *Request) error { return s.kind(r.Kind).remove(r) }

func resourceOf(body any) (jsonv.Object, error) {
	b, ok := body.(jsonv.Object)
	if !ok {
		return nil, refuse(invalidSyntax, "a resource must be an object, got %s", jsonv.KindOf(body))
	}
	return b, nil
}
