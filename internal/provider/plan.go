package provider

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// plan settles a proposed state, in which defaults are filled in and computed
// attributes without a configured value may be unknown. The rule: an update that
// would send what is there already is no update, so nothing computed becomes
// unknown; otherwise only updated_* does. s is nil when the provider is not
// configured.
func (k *kind) plan(ctx context.Context, s *session, config, prior, proposed tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	if proposed.IsNull() {
		return proposed, k.planDestroy(ctx, s, prior)
	}
	planned := proposed
	if k.remembers {
		planned = remembered(k.attrs, config, prior, planned)
	}
	if !prior.IsNull() {
		planned = k.keep(config, prior, k.codec.Settle(planned, prior))
	}
	if k.decl.API.Amend != nil {
		planned = k.decl.API.Amend(config, prior, planned)
	}
	planned = k.identify(planned)

	c, err := k.change(s, config, planned, prior)
	if err != nil && !unknownValue(err) {
		return planned, k.failure("plan", c.key, err, planned)
	}
	if err != nil {
		c.body = nil
	}
	if !prior.IsNull() {
		planned = k.volatile(c, planned, prior)
		c.plan = planned
	}
	if s != nil && len(c.key) > 0 {
		s.plans(k, c.key, c.body)
	}
	if k.decl.API.Plan != nil {
		c.diags.Append(k.decl.API.Plan(ctx, c)...)
	}
	if prior.IsNull() {
		c.diags.Append(k.announce(ctx, c)...)
		c.diags.Append(k.planRecreate(ctx, c)...)
	} else if s != nil {
		s.manages(k, c.was)
	}
	return planned, c.diags
}

// keep gives computed attributes that belong to the object's identity or origin
// their prior value back.
func (k *kind) keep(config, prior, planned tftypes.Value) tftypes.Value {
	return kept(k.attrs, config, prior, planned)
}

func kept(attrs []lens.Attr, config, prior, planned tftypes.Value) tftypes.Value {
	was, now, written := lens.AsObj(prior), lens.AsObj(planned), lens.AsObj(config)
	changes := lens.Obj{}
	for _, a := range attrs {
		before, had := was[a.Name]
		switch {
		case !had || a.Name == "id":
		case a.Nesting == lens.Single && lens.Known(now[a.Name]) && lens.Known(before) && fillable(a.Nested):
			if below := kept(a.Nested, written[a.Name], before, now[a.Name]); !below.Equal(now[a.Name]) {
				changes[a.Name] = below
			}
		case serverMay(a) && !now[a.Name].IsKnown() && lens.Nothing(written[a.Name]):
			changes[a.Name] = before
		}
	}
	return with(planned, changes)
}

// identify plans id as soon as the key is known, so that what refers to it does
// not ripple (O7).
func (k *kind) identify(planned tftypes.Value) tftypes.Value {
	id := unknownOf(tftypes.String)
	if key, ok := k.key(planned); ok {
		id = lens.Str(k.decl.id(key))
	}
	if id.Equal(lens.AsObj(planned)["id"]) {
		return planned
	}
	return with(planned, lens.Obj{"id": id})
}

// volatile decides what an update leaves unknown.
func (k *kind) volatile(c *change, planned, prior tftypes.Value) tftypes.Value {
	same := !c.sends()
	moved := false
	was, now := lens.AsObj(prior), lens.AsObj(planned)
	for _, name := range k.decl.Moves {
		moved = moved || !was[name].Equal(now[name])
	}
	var anew []string
	if k.decl.API.Anew != nil {
		anew = k.decl.API.Anew(was, now)
	}
	changes, written := lens.Obj{}, lens.AsObj(c.config)
	for _, a := range k.attrs {
		renewed := slices.Contains(anew, a.Name)
		if a.Mode != lens.Computed && (!renewed || a.Mode != lens.OptComputed || !lens.Nothing(written[a.Name])) || a.Name == "id" {
			continue
		}
		switch {
		case renewed:
			changes[a.Name] = unknownOf(a.Type)
		case same:
			changes[a.Name] = was[a.Name]
		case a.Plan&lens.Volatile != 0 || moved:
			changes[a.Name] = unknownOf(a.Type)
		}
	}
	return with(planned, changes)
}

// serverMay reports whether the server may choose the attribute's value.
func serverMay(a lens.Attr) bool { return a.Mode == lens.Computed || a.Mode == lens.OptComputed }

// sends reports whether the change has anything to tell the server: another
// body, or a client-side value that is said to trigger an update.
func (c *change) sends() bool {
	if c.body == nil || c.before == nil || !jsonv.Equal(c.body, c.before) {
		return true
	}
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	for _, a := range c.kind.attrs {
		if a.Plan&lens.Trigger != 0 && !was[a.Name].Equal(now[a.Name]) {
			return true
		}
	}
	// Keys that change places leave the body as it is.
	return c.kind.remembers && swaps(was, now)
}

// replaces lists the attributes whose change needs a new object.
func (k *kind) replaces(s *session, prior, planned tftypes.Value) path.Paths {
	if prior.IsNull() || planned.IsNull() {
		return nil
	}
	was, now := lens.AsObj(prior), lens.AsObj(planned)
	var out path.Paths
	for _, a := range k.attrs {
		if a.Plan&lens.Replace != 0 && !was[a.Name].Equal(now[a.Name]) {
			out = append(out, path.Root(a.Name))
		}
	}
	if k.decl.API.Replaces != nil {
		for _, name := range k.decl.API.Replaces(s, was, now) {
			out = append(out, path.Root(name))
		}
	}
	return out
}

// announce says in the plan of a create that something stands there already: it
// will be adopted, or is refused when the provider is told to (P4, O9). A server
// that cannot be asked is no obstacle to planning.
func (k *kind) announce(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || k.decl.API.Peek == nil || len(c.key) == 0 || c.isManaged(k, c.key) {
		return nil
	}
	found, err := k.decl.API.Peek(ctx, c.session, c.key)
	if err != nil || found == nil {
		return nil
	}
	if !c.adopt || k.decl.Refuses {
		return diag.Diagnostics{diag.NewErrorDiagnostic(k.existsSummary(c.key), k.existsDetail(c.key))}
	}
	detail := "Creating it takes it over and replaces its content."
	if got, err := k.decode(ctx, c.session, found, c.plan); err == nil {
		if names := k.differing(c.plan, got); len(names) > 0 {
			detail += " What changes: " + strings.Join(names, ", ") + "."
		} else {
			detail += " Its content is what the configuration says."
		}
	}
	detail += "\n\nTo leave existing objects alone, set on_existing = \"fail\" in the provider block."
	return diag.Diagnostics{diag.NewWarningDiagnostic(k.existsSummary(c.key), detail)}
}

func (k *kind) existsSummary(key []string) string {
	noun := k.decl.noun()
	return strings.ToUpper(noun[:1]) + noun[1:] + " " + joinID(key) + " already exists"
}

func (k *kind) existsDetail(key []string) string {
	why := "The provider is told not to take over existing objects (on_existing = \"fail\")."
	if k.decl.Refuses {
		why = "Somebody else may manage it: it is in Port already."
	}
	return why + fmt.Sprintf(" To manage this one, import it:\n\n"+
		"  import {\n    to = %s.<name>\n    id = %q\n  }", k.decl.typeName(), joinID(key))
}

// errExists refuses to create over something.
func (k *kind) errExists(key []string) error {
	return &diagnosed{diag.Diagnostics{diag.NewErrorDiagnostic(k.existsSummary(key), k.existsDetail(key))}}
}

// differing names the attributes that plan and got disagree about, leaving out
// what the plan does not know and what the server owns.
func (k *kind) differing(plan, got tftypes.Value) []string {
	mine, theirs := lens.AsObj(plan), lens.AsObj(got)
	var names []string
	for _, a := range k.attrs {
		if a.Client || a.Mode == lens.Computed || slices.Contains(k.decl.Key, a.Name) {
			continue
		}
		if v := mine[a.Name]; v.IsFullyKnown() && !v.Equal(theirs[a.Name]) {
			names = append(names, a.Name)
		}
	}
	sort.Strings(names)
	return names
}
