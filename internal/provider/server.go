package provider

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Address is the provider's registry address.
const Address = "registry.terraform.io/portlens/port"

// Serve answers Terraform until it is done, then closes the embedded portals.
// With debug it waits for a debugger's Terraform to attach.
func Serve(o Options, debug bool) error {
	factory, closer := NewServer(o)
	var opts []tf6server.ServeOpt
	if debug {
		opts = append(opts, tf6server.WithManagedDebug())
	}
	err := tf6server.Serve(Address, factory, opts...)
	if e := closer.Close(); err == nil {
		err = e
	}
	return err
}

// NewServer returns the factory of protocol servers, and what to close after the
// last one.
//
// A server is the framework's with shortcuts for the calls that every plan makes
// for every resource. The framework converts a value several times per call,
// which costs more than reading the object. Upgrading a state of the current
// version is handing it back; a read or plan that changes nothing returns the
// bytes it was given; other plans and applies (changes.go) work on the raw values
// at once. Whatever is special (private data, write-only attributes, a deferred
// provider) goes through the framework; results are the same either way.
func NewServer(o Options) (func() tfprotov6.ProviderServer, io.Closer) {
	open := newPortals(o.Embedded)
	factory := newFactory(o, open)
	return func() tfprotov6.ProviderServer {
		p := factory()
		inner := providerserver.NewProtocol6(p)()
		all, ok := inner.(frameworkServer)
		own, mine := p.(*portProvider)
		if o.WithoutShortcuts || !ok || !mine {
			return inner
		}
		s := &server{frameworkServer: all, kinds: map[string]*kind{}, askers: map[string]*asker{}, calls: map[*context.CancelFunc]struct{}{}}
		for _, k := range registered {
			s.kinds[k.decl.typeName()] = k
		}
		for _, a := range queries {
			s.askers[a.query.typeName()] = a
		}
		own.configured = s.session.Store
		return s
	}, open
}

// frameworkServer is everything the framework's server can do, so that wrapping
// it hides nothing.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

type server struct {
	frameworkServer
	kinds   map[string]*kind
	askers  map[string]*asker
	session atomic.Pointer[session]

	mu    sync.Mutex
	calls map[*context.CancelFunc]struct{}
}

// StopProvider interrupts what is under way.
func (s *server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	s.mu.Lock()
	for cancel := range s.calls {
		(*cancel)()
	}
	s.mu.Unlock()
	return s.frameworkServer.StopProvider(ctx, req)
}

// interruptible derives a context that ends when Terraform asks to stop.
func (s *server) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.calls[&cancel] = struct{}{}
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		delete(s.calls, &cancel)
		s.mu.Unlock()
		cancel()
	}
}

// UpgradeResourceState hands the stored JSON back: there is one schema version,
// and Terraform drops attributes the schema does not have before it asks.
func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if s.kinds[req.TypeName] == nil || req.Version != 0 || req.RawState == nil || len(req.RawState.JSON) == 0 {
		return s.frameworkServer.UpgradeResourceState(ctx, req)
	}
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
}

// ValidateResourceConfig runs the declaration's checks.
func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	k := s.kinds[req.TypeName]
	if k == nil || req.Config == nil {
		return s.frameworkServer.ValidateResourceConfig(ctx, req)
	}
	config, err := req.Config.Unmarshal(k.typ)
	if err != nil {
		return s.frameworkServer.ValidateResourceConfig(ctx, req)
	}
	// What the framework adds to an error of ours is the same in worse words: of
	// a fraction it says that the provider is broken.
	found := k.validate(config)
	if !k.plain(config) && !found.HasError() {
		return s.frameworkServer.ValidateResourceConfig(ctx, req)
	}
	return &tfprotov6.ValidateResourceConfigResponse{Diagnostics: protocolDiagnostics(found)}, nil
}

// ReadResource refreshes an object.
func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	k, session := s.kinds[req.TypeName], s.session.Load()
	if k == nil || session == nil || req.CurrentState == nil || len(req.Private) > 0 {
		return s.frameworkServer.ReadResource(ctx, req)
	}
	prior, err := req.CurrentState.Unmarshal(k.typ)
	if err != nil || !lens.Known(prior) {
		return s.frameworkServer.ReadResource(ctx, req)
	}
	ctx, release := s.interruptible(ctx)
	defer release()
	state, diags := k.refresh(ctx, session, prior)
	resp := &tfprotov6.ReadResourceResponse{
		NewState: req.CurrentState, Private: req.Private, NewIdentity: req.CurrentIdentity, Diagnostics: protocolDiagnostics(diags),
	}
	if diags.HasError() {
		return resp, nil
	}
	if !lens.Equal(state, prior) {
		if resp.NewState, err = dynamic(k.typ, state); err != nil {
			return nil, err
		}
	}
	at := state
	if state.IsNull() {
		at = prior // gone; the framework keeps its identity too
	}
	resp.NewIdentity, err = k.identityData(at, req.CurrentIdentity)
	return resp, err
}

// ReadDataSource answers a query. The framework looks at every value of the
// result for blocks to fill in, which takes it longer than all the rest.
func (s *server) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	a, session := s.askers[req.TypeName], s.session.Load()
	if a == nil || session == nil || req.Config == nil {
		return s.frameworkServer.ReadDataSource(ctx, req)
	}
	config, err := req.Config.Unmarshal(a.typ)
	if err != nil {
		return s.frameworkServer.ReadDataSource(ctx, req)
	}
	ctx, release := s.interruptible(ctx)
	defer release()
	state, diags := a.ask(ctx, session, config)
	resp := &tfprotov6.ReadDataSourceResponse{Diagnostics: protocolDiagnostics(diags)}
	if diags.HasError() {
		return resp, nil
	}
	resp.State, err = dynamic(a.typ, state)
	return resp, err
}

// plain reports whether a configuration sets nothing that only the framework
// knows how to comment on: deprecated and write-only attributes.
func (k *kind) plain(config tftypes.Value) bool {
	m := lens.AsObj(config)
	for _, a := range k.attrs {
		if (a.Deprecated != "" || a.WriteOnly) && !lens.Nothing(m[a.Name]) {
			return false
		}
	}
	return true
}

func dynamic(t tftypes.Type, v tftypes.Value) (*tfprotov6.DynamicValue, error) {
	d, err := tfprotov6.NewDynamicValue(t, v)
	return &d, err
}

func protocolDiagnostics(diags diag.Diagnostics) []*tfprotov6.Diagnostic {
	out := make([]*tfprotov6.Diagnostic, 0, len(diags))
	for _, d := range diags {
		severity := tfprotov6.DiagnosticSeverityError
		if d.Severity() == diag.SeverityWarning {
			severity = tfprotov6.DiagnosticSeverityWarning
		}
		p := &tfprotov6.Diagnostic{Severity: severity, Summary: d.Summary(), Detail: d.Detail()}
		if at, ok := d.(diag.DiagnosticWithPath); ok {
			p.Attribute = protocolPath(at.Path())
		}
		out = append(out, p)
	}
	return out
}
