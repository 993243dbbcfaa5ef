package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// PlanResourceChange plans as the framework does: defaults, then what is computed
// and changes becomes unknown, then the kind's own plan. A proposed state that is
// the prior one, byte for byte, is the plan.
func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	k, session := s.kinds[req.TypeName], s.session.Load()
	if k == nil || session == nil || !k.simple || len(req.PriorPrivate) > 0 {
		return s.frameworkServer.PlanResourceChange(ctx, req)
	}
	resp := &tfprotov6.PlanResourceChangeResponse{
		PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity,
	}
	prior, err := k.unmarshal(req.PriorState)
	if err != nil {
		return s.frameworkServer.PlanResourceChange(ctx, req)
	}
	if key, ok := k.key(prior); ok && sameBytes(req.PriorState, req.ProposedNewState) && defaultsHold(k.attrs, lens.AsObj(prior)) {
		session.manages(k, key)
		session.leaves(k, key)
		if k.decl.API.Foresee != nil {
			resp.Diagnostics = protocolDiagnostics(k.decl.API.Foresee(session, key))
		}
		return resp, nil
	}
	proposed, err := k.unmarshal(req.ProposedNewState)
	if err != nil {
		return s.frameworkServer.PlanResourceChange(ctx, req)
	}
	config, err := k.unmarshal(req.Config)
	if err != nil {
		return s.frameworkServer.PlanResourceChange(ctx, req)
	}
	ctx, release := s.interruptible(ctx)
	defer release()
	planned, diags := k.plan(ctx, session, config, prior, k.propose(config, prior, proposed))
	resp.Diagnostics = protocolDiagnostics(diags)
	for _, p := range k.replaces(session, prior, planned) {
		resp.RequiresReplace = append(resp.RequiresReplace, protocolPath(p))
	}
	if resp.PlannedIdentity, err = k.identityData(planned, req.PriorIdentity); err != nil {
		return nil, err
	}
	if resp.PlannedPrivate, err = k.succession(prior, planned); err != nil {
		return nil, err
	}
	resp.PlannedState, err = dynamic(k.typ, planned)
	return resp, err
}

// ApplyResourceChange creates, updates or deletes.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	k, session := s.kinds[req.TypeName], s.session.Load()
	if k == nil || session == nil || !k.simple || len(req.PlannedPrivate) > 0 && k.decl.API.Succeed == nil {
		return s.frameworkServer.ApplyResourceChange(ctx, req)
	}
	successor, private, err := k.successorIn(req.PlannedPrivate)
	if err != nil {
		return s.frameworkServer.ApplyResourceChange(ctx, req)
	}
	prior, errPrior := k.unmarshal(req.PriorState)
	planned, errPlanned := k.unmarshal(req.PlannedState)
	config, errConfig := k.unmarshal(req.Config)
	if errPrior != nil || errPlanned != nil || errConfig != nil {
		return s.frameworkServer.ApplyResourceChange(ctx, req)
	}
	ctx, release := s.interruptible(ctx)
	defer release()
	var state tftypes.Value
	var diags diag.Diagnostics
	switch {
	case prior.IsNull():
		state, diags = k.create(ctx, session, config, planned)
	case planned.IsNull():
		state = k.null
		if diags = k.delete(ctx, session, prior, successor); diags.HasError() {
			state = prior
		}
	default:
		state, diags = k.update(ctx, session, config, planned, prior)
	}
	resp := &tfprotov6.ApplyResourceChangeResponse{Private: private, Diagnostics: protocolDiagnostics(diags)}
	if resp.NewIdentity, err = k.identityData(state, req.PlannedIdentity); err != nil {
		return nil, err
	}
	resp.NewState, err = dynamic(k.typ, state)
	return resp, err
}

// successorKey is where the private data of a plan hold what [kind.succeed] gave,
// in the framework's encoding, so that either way understands the other's plans.
const successorKey = "successor"

func (k *kind) succession(prior, planned tftypes.Value) ([]byte, error) {
	successor, err := k.succeed(prior, planned)
	if err != nil || successor == nil {
		return nil, err
	}
	return json.Marshal(map[string][]byte{successorKey: successor})
}

// successorIn takes the description out of private data and returns the rest.
func (k *kind) successorIn(private []byte) (successor, rest []byte, err error) {
	if k.decl.API.Succeed == nil || len(private) == 0 {
		return nil, private, nil
	}
	var all map[string][]byte
	if err := json.Unmarshal(private, &all); err != nil {
		return nil, nil, err
	}
	successor = all[successorKey]
	if delete(all, successorKey); len(all) > 0 {
		rest, err = json.Marshal(all)
	}
	return successor, rest, err
}

func (k *kind) unmarshal(d *tfprotov6.DynamicValue) (tftypes.Value, error) {
	if d == nil {
		return k.null, nil
	}
	return d.Unmarshal(k.typ)
}

// identityData is the identity of an object whose key is known, otherwise what it
// was.
func (k *kind) identityData(v tftypes.Value, otherwise *tfprotov6.ResourceIdentityData) (*tfprotov6.ResourceIdentityData, error) {
	key, ok := k.key(v)
	if !ok {
		return otherwise, nil
	}
	d, err := dynamic(k.identityType, k.identity(key))
	return &tfprotov6.ResourceIdentityData{IdentityData: d}, err
}

// propose completes the state that Terraform proposes: attributes left out of the
// configuration get their defaults and, when anything changes at all, those that
// the server computes become unknown.
func (k *kind) propose(config, prior, proposed tftypes.Value) tftypes.Value {
	if proposed.IsNull() {
		return proposed
	}
	filled := leftOut(k.attrs, config, proposed, func(a lens.Attr) (tftypes.Value, bool) {
		if a.Default == nil {
			return tftypes.Value{}, false
		}
		return *a.Default, true
	})
	if lens.Equal(filled, prior) {
		return filled
	}
	return leftOut(k.attrs, config, filled, func(a lens.Attr) (tftypes.Value, bool) {
		return unknownOf(a.Type), a.Default == nil && serverMay(a) && !a.Client
	})
}

// leftOut replaces values of attributes that the configuration leaves out, at
// every depth.
func leftOut(attrs []lens.Attr, config, v tftypes.Value, replace func(lens.Attr) (tftypes.Value, bool)) tftypes.Value {
	given, has := lens.AsObj(config), lens.AsObj(v)
	changes := lens.Obj{}
	for _, a := range attrs {
		if lens.Nothing(given[a.Name]) {
			if now, ok := replace(a); ok && !now.Equal(has[a.Name]) {
				changes[a.Name] = now
			}
			continue
		}
		was := has[a.Name]
		if !lens.Known(was) || !fillable(a.Nested) {
			continue
		}
		if now := leftOutBelow(a, given[a.Name], was, replace); !lens.Equal(now, was) {
			changes[a.Name] = now
		}
	}
	return with(v, changes)
}

// fillable reports whether any attribute, however deep, may get a value that the
// configuration does not give: a group of thousands that has none is not searched.
func fillable(attrs []lens.Attr) bool {
	return slices.ContainsFunc(attrs, func(a lens.Attr) bool { return a.Default != nil || serverMay(a) || fillable(a.Nested) })
}

func leftOutBelow(a lens.Attr, config, v tftypes.Value, replace func(lens.Attr) (tftypes.Value, bool)) tftypes.Value {
	switch a.Nesting {
	case lens.Single:
		return leftOut(a.Nested, config, v, replace)
	case lens.InMap:
		given, out := lens.AsObj(config), maps.Clone(lens.AsObj(v))
		for key, e := range out {
			if lens.Known(e) {
				out[key] = leftOut(a.Nested, given[key], e, replace)
			}
		}
		return tftypes.NewValue(v.Type(), out)
	}
	given, out := lens.AsList(config), append([]tftypes.Value(nil), lens.AsList(v)...)
	for i, e := range out {
		if lens.Known(e) && i < len(given) {
			out[i] = leftOut(a.Nested, given[i], e, replace)
		}
	}
	return tftypes.NewValue(v.Type(), out)
}

// remembered plans what the state holds, or null, for settings that the
// configuration leaves out. Terraform and the framework make them unknown, as if
// the server chose them.
func remembered(attrs []lens.Attr, config, prior, v tftypes.Value) tftypes.Value {
	given, was, has := lens.AsObj(config), lens.AsObj(prior), lens.AsObj(v)
	changes := lens.Obj{}
	for _, a := range attrs {
		now := has[a.Name]
		switch {
		case a.Client && a.Mode == lens.OptComputed && a.Default == nil && !now.IsKnown() && lens.Nothing(given[a.Name]):
			changes[a.Name] = lens.Null(a.Type)
			if before, ok := was[a.Name]; ok {
				changes[a.Name] = before
			}
		case a.Nesting == lens.Single && lens.Known(now):
			if below := remembered(a.Nested, given[a.Name], was[a.Name], now); !below.Equal(now) {
				changes[a.Name] = below
			}
		case a.Nesting == lens.InMap && lens.Known(now):
			written, before, out := lens.AsObj(given[a.Name]), lens.AsObj(was[a.Name]), maps.Clone(lens.AsObj(now))
			for key, e := range out {
				if lens.Known(e) {
					out[key] = remembered(a.Nested, written[key], before[key], e)
				}
			}
			changes[a.Name] = tftypes.NewValue(now.Type(), out)
		}
	}
	return with(v, changes)
}

// remembers reports whether a schema has settings that the state holds on to.
func remembers(attrs []lens.Attr) bool {
	for _, a := range attrs {
		if a.Client && a.Mode == lens.OptComputed && a.Default == nil || remembers(a.Nested) {
			return true
		}
	}
	return false
}

// isSimple reports whether the shortcuts understand a schema: nothing write-only,
// and nothing to fill in inside the elements of a set, which have no place to
// find them by.
func isSimple(attrs []lens.Attr, inSet bool) bool {
	for _, a := range attrs {
		if a.WriteOnly || inSet && (a.Default != nil || serverMay(a)) || !isSimple(a.Nested, inSet || a.Nesting == lens.InSet) {
			return false
		}
	}
	return true
}

func sameBytes(a, b *tfprotov6.DynamicValue) bool {
	return a != nil && b != nil && len(a.MsgPack) > 0 && bytes.Equal(a.MsgPack, b.MsgPack)
}

// defaultsHold reports whether filling in defaults cannot change the object,
// whatever the configuration leaves out: every attribute that has one holds it.
func defaultsHold(attrs []lens.Attr, v lens.Obj) bool {
	for _, a := range attrs {
		got := v[a.Name]
		if a.Default != nil && !a.Default.Equal(got) {
			return false
		}
		if !lens.Known(got) || !fillable(a.Nested) {
			continue
		}
		switch a.Nesting {
		case lens.Single:
			if !defaultsHold(a.Nested, lens.AsObj(got)) {
				return false
			}
		case lens.InMap:
			for _, e := range lens.AsObj(got) {
				if lens.Known(e) && !defaultsHold(a.Nested, lens.AsObj(e)) {
					return false
				}
			}
		default:
			for _, e := range lens.AsList(got) {
				if lens.Known(e) && !defaultsHold(a.Nested, lens.AsObj(e)) {
					return false
				}
			}
		}
	}
	return true
}
