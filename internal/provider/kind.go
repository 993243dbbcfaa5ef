package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// kind is a declaration compiled once: everything calls need, computed at start.
// Its methods are the whole behaviour of a resource on raw values; managed and
// lookup adapt them to the framework.
type kind struct {
	decl  *Declaration
	codec *lens.Codec
	typ   tftypes.Object
	attrs []lens.Attr
	null  tftypes.Value
	// simple kinds can be planned and applied without the framework.
	simple bool
	// remembers says that there are settings that the state holds on to.
	remembers bool
	surfaces
}

// read refreshes prior. A null result means that the object is gone.
func (k *kind) read(ctx context.Context, s *session, prior tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	key, ok := k.key(prior)
	if !ok {
		return prior, diag.Diagnostics{diag.NewErrorDiagnostic("Could not read "+k.decl.noun(),
			"The state does not say which "+k.decl.noun()+" it is: "+strings.Join(k.decl.Key, " or ")+" is missing.")}
	}
	if k.decl.API.Refresh != nil {
		return k.readBy(ctx, s, key, prior, func(ctx context.Context, s *session, _ []string) (jsonv.Object, error) {
			return k.decl.API.Refresh(ctx, s, prior)
		})
	}
	return k.readBy(ctx, s, key, prior, k.decl.API.Read)
}

// show is read for a data source, which also shows what the server computes and
// has no earlier value to compare with.
func (k *kind) show(ctx context.Context, s *session, key []string) (tftypes.Value, diag.Diagnostics) {
	if k.decl.API.Show != nil {
		return k.readBy(ctx, s, key, k.null, k.decl.API.Show)
	}
	return k.readBy(ctx, s, key, k.null, k.decl.API.Read)
}

func (k *kind) readBy(ctx context.Context, s *session, key []string, prior tftypes.Value, read readFunc) (tftypes.Value, diag.Diagnostics) {
	body, err := read(ctx, s, key)
	if portapi.IsNotFound(err) {
		return k.null, nil
	}
	if err != nil {
		return prior, k.failure("read", key, err, prior)
	}
	seen := prior
	if k.imported(prior) {
		seen = k.null // an import has no earlier value to go by, as a data source
	}
	v, err := k.decode(ctx, s, body, seen)
	if err != nil {
		return prior, k.failure("read", key, err, prior)
	}
	if k.decl.API.Notice != nil && !seen.IsNull() {
		return v, k.decl.API.Notice(s, k, body, seen)
	}
	return v, nil
}

// refresh is read for an object that Terraform manages.
func (k *kind) refresh(ctx context.Context, s *session, prior tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	if key, ok := k.key(prior); ok {
		s.manages(k, key)
	}
	return k.read(ctx, s, prior)
}

// decode turns a document of the server into a state that keeps the spelling of
// prior.
func (k *kind) decode(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) (tftypes.Value, error) {
	return k.decodeWhole(ctx, s, k.sift(body, prior), prior)
}

// decodeWhole is decode for a document that was sifted already.
func (k *kind) decodeWhole(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) (tftypes.Value, error) {
	d := &decoding{}
	if k.decl.API.Decode != nil {
		d = k.decl.API.Decode(ctx, s, body, prior)
	}
	if d.err != nil {
		return k.null, d.err
	}
	if d.document != nil {
		body = d.document
	}
	d.options.EscapeHTML = s.escapeHTML
	v, err := k.codec.With(d.options).Get(body, prior)
	if d.err != nil {
		return k.null, d.err
	}
	return v, err
}

// sift leaves out of a document what does not concern the resource that holds, or
// held, some values.
func (k *kind) sift(body jsonv.Object, held ...tftypes.Value) jsonv.Object {
	held = slices.DeleteFunc(held, func(v tftypes.Value) bool { return v.IsNull() })
	if k.decl.API.Sift == nil || len(held) == 0 {
		return body
	}
	return k.decl.API.Sift(k, body, held...)
}

// decodeAnswer decodes what a write answered. All that matters is what plan does
// not know, which needs nothing from the server: so an interrupted apply keeps
// what it made.
func (k *kind) decodeAnswer(ctx context.Context, s *session, body jsonv.Object, plan tftypes.Value) (tftypes.Value, error) {
	got, err := k.codec.With(lens.Options{EscapeHTML: s.escapeHTML}).Get(body, plan)
	if err != nil {
		return k.decode(ctx, s, body, plan)
	}
	return got, nil
}

// create makes the object of plan and returns the state to keep, which is not
// null when something was made even if a later step failed.
func (k *kind) create(ctx context.Context, s *session, config, plan tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	return k.write(ctx, s, config, plan, k.null, "create", k.decl.API.Create)
}

// update brings the object of prior to plan and returns the state to keep: prior
// itself when nothing was done.
func (k *kind) update(ctx context.Context, s *session, config, plan, prior tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	return k.write(ctx, s, config, plan, prior, "update", k.decl.API.Update)
}

func (k *kind) write(ctx context.Context, s *session, config, plan, prior tftypes.Value, verb string,
	call func(context.Context, *change) (jsonv.Object, error),
) (tftypes.Value, diag.Diagnostics) {
	c, err := k.change(s, config, plan, prior)
	key := c.key
	if len(c.was) > 0 {
		key = c.was
	}
	if err != nil {
		return prior, k.failure(verb, key, err, plan)
	}
	if !prior.IsNull() && !c.sends() {
		// Only client-side settings differ, or values that turned out to be the
		// old ones: nothing to send.
		return complete(plan, prior), c.diags
	}
	kept := prior
	c.save = func(body jsonv.Object) {
		// What prior held and plan lets go is the resource's until it is gone.
		if v, err := k.decodeWhole(ctx, s, k.sift(body, prior, plan), plan); err == nil {
			kept = v
		}
	}
	c.keep = func(state tftypes.Value) { kept = state }
	body, err := call(ctx, c)
	if err != nil {
		c.diags.Append(k.failure(verb, key, err, plan)...)
		return kept, c.diags
	}
	got, err := k.decodeAnswer(ctx, s, body, plan)
	if err != nil {
		// The object is there: forgetting it would orphan it.
		c.diags.Append(k.failure(verb, key, err, plan)...)
		return k.keyed(complete(plan, k.null), body), c.diags
	}
	return complete(plan, got), c.diags
}

// delete removes the object of prior; one that is gone already is fine. successor
// is what [kind.succeed] gave for the creation that follows, nil when none does.
func (k *kind) delete(ctx context.Context, s *session, prior tftypes.Value, successor []byte) diag.Diagnostics {
	c, err := k.change(s, k.null, k.null, prior)
	c.successor = successor
	if err == nil {
		err = k.decl.API.Delete(ctx, c)
	}
	if err != nil && !portapi.IsNotFound(err) {
		c.diags.Append(k.failure("delete", c.was, err, prior)...)
	}
	return c.diags
}

// succeed describes the creation that a plan means to the deletion before it; nil
// for everything that is no creation or needs no description.
func (k *kind) succeed(prior, planned tftypes.Value) ([]byte, error) {
	if k.decl.API.Succeed == nil || !prior.IsNull() || planned.IsNull() {
		return nil, nil
	}
	return k.decl.API.Succeed(planned)
}

// change prepares what hooks see. Unknown values in plan are an error that
// satisfies errors.Is(err, lens.ErrUnknown); the change is usable without its
// body then.
func (k *kind) change(s *session, config, plan, prior tftypes.Value) (*change, error) {
	c := &change{session: s, kind: k, plan: plan, prior: prior, config: config, save: func(jsonv.Object) {}, keep: func(tftypes.Value) {}}
	c.key, _ = k.key(plan)
	var err error
	if !prior.IsNull() {
		c.was, _ = k.key(prior)
		if c.before, err = k.codec.Put(prior, k.null); err != nil {
			return c, err
		}
	}
	if !plan.IsNull() {
		c.body, err = k.codec.Put(plan, config)
	}
	return c, err
}

// key reads the key of an object; false when a part is null or unknown.
func (k *kind) key(v tftypes.Value) ([]string, bool) {
	m := lens.AsObj(v)
	key := make([]string, len(k.decl.Key))
	for i, name := range k.decl.Key {
		s, ok := text(m[name])
		if !ok || s == "" {
			return nil, false
		}
		key[i] = s
	}
	return key, true
}

// keyed fills key attributes and id from a document that could not be decoded as
// a whole.
func (k *kind) keyed(v tftypes.Value, body jsonv.Object) tftypes.Value {
	m := lens.AsObj(v)
	changes := lens.Obj{}
	for _, name := range k.decl.Key {
		if s, ok := body[name].(string); ok && m[name].IsNull() {
			changes[name] = lens.Str(s)
		}
	}
	v = with(v, changes)
	if key, ok := k.key(v); ok {
		v = with(v, lens.Obj{"id": lens.Str(k.decl.id(key))})
	}
	return v
}

// importState is the state that an import id stands for: the key alone.
func (k *kind) importState(ctx context.Context, s *session, id string) (tftypes.Value, diag.Diagnostics) {
	if k.decl.API.Import != nil {
		state, err := k.decl.API.Import(ctx, k, s, id)
		if err != nil {
			return k.null, k.failure("import", []string{id}, err, k.null)
		}
		return state, nil
	}
	key, ok := k.decl.splitID(id)
	var err error
	if ok && k.decl.API.SplitID != nil {
		key, err = k.decl.API.SplitID(ctx, s, id)
	}
	if err != nil {
		return k.null, k.failure("import", []string{id}, err, k.null)
	}
	if !ok {
		return k.null, diag.Diagnostics{diag.NewErrorDiagnostic("Could not import "+k.decl.noun(),
			fmt.Sprintf("Invalid import ID %q: want %s.", id, k.decl.importID()))}
	}
	return k.stateOf(key), nil
}

// imported reports whether a state holds nothing but the key, as stateOf gives.
func (k *kind) imported(v tftypes.Value) bool {
	m := lens.AsObj(v)
	for _, a := range k.attrs {
		if a.Name != "id" && !lens.Nothing(m[a.Name]) && !slices.Contains(k.decl.Key, a.Name) {
			return false
		}
	}
	return true
}

// stateOf is an object with nothing but its key.
func (k *kind) stateOf(key []string) tftypes.Value {
	m := make(lens.Obj, len(k.attrs))
	for name, t := range k.typ.AttributeTypes {
		m[name] = lens.Null(t)
	}
	for i, name := range k.decl.Key {
		m[name] = lens.Str(key[i])
	}
	m["id"] = lens.Str(k.decl.id(key))
	return tftypes.NewValue(k.typ, m)
}

// validate checks a configuration without a server.
func (k *kind) validate(config tftypes.Value) diag.Diagnostics {
	found := k.codec.Problems(config)
	if k.decl.API.Check != nil {
		found = slices.Concat(found, k.decl.API.Check(config))
	}
	return problems(found)
}

// unknownValue reports whether err says that a value is not known yet.
func unknownValue(err error) bool { return errors.Is(err, lens.ErrUnknown) }
