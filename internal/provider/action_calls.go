package provider

import (
	"context"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_action, reference/provider-actions.md §2.7.

func callAction(ctx context.Context, s *session, op portapi.Op) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, op)
	if err != nil {
		return nil, err
	}
	return envelope(answer, "action")
}

func readAction(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	return s.api.ReadAction(ctx, key[0])
}

// mayHoldAction reports whether it is worth to ask for an action that is about to
// be made: where many are, their identifiers are fetched once.
func (s *session) mayHoldAction(ctx context.Context, id string) bool {
	return s.actions.mayHold(ctx, id, "identifier", s.api.Actions)
}

// refreshAction reads the action of a state, under the identifier that Port has
// given it where the state is from before identifiers were unique.
func refreshAction(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	return readAction(ctx, s, []string{formerID(lens.AsObj(prior), "blueprint", "identifier")})
}

func peekAction(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	if !s.mayHoldAction(ctx, key[0]) {
		return nil, nil
	}
	found, err := readAction(ctx, s, key)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

func createAction(ctx context.Context, c *change) (jsonv.Object, error) {
	made, err := callAction(ctx, c.session, portapi.Op{Method: http.MethodPost, Path: []string{"actions"}, Body: c.body})
	switch {
	case !portapi.IsConflict(err):
		return made, lackingBlueprint(c, err)
	case !c.adopt:
		return nil, c.kind.errExists(c.key)
	}
	c.warn(c.kind.existsSummary(c.key), "It was taken over and its content replaced.")
	return replaceAction(ctx, c, c.key[0])
}

func updateAction(ctx context.Context, c *change) (jsonv.Object, error) {
	return replaceAction(ctx, c, formerID(lens.AsObj(c.prior), "blueprint", "identifier"))
}

// replaceAction is the read-modify-write of an action: PUT replaces the whole
// document, so what the resource cannot say is read and sent back.
func replaceAction(ctx context.Context, c *change, id string) (jsonv.Object, error) {
	remote, err := callAction(ctx, c.session, portapi.Op{Method: http.MethodGet, Path: []string{"actions", id}})
	if err != nil {
		return nil, err
	}
	body := c.kind.codec.Overlay(remote, c.body)
	keepLiterals(body, c.before, remote)
	op := portapi.Op{Method: http.MethodPut, Path: []string{"actions", id}, Body: body}
	if c.key[0] != id {
		op.Repeat = portapi.RepeatNever // the old name is gone once it worked
	}
	put, err := callAction(ctx, c.session, op)
	return put, lackingBlueprint(c, err)
}

// lackingBlueprint says where a blueprint is named that is not there, of which a
// write says no more than its name (reference/actions.md §1.4 A5).
func lackingBlueprint(c *change, err error) error {
	f, ok := portapi.AsFault(err)
	if !ok || !portapi.IsNotFound(err) {
		return err
	}
	for _, pointer := range [][]string{{"trigger", "blueprintIdentifier"}, {"trigger", "event", "blueprintIdentifier"}} {
		id := jsonv.String(c.body, pointer...)
		at, found := c.kind.codec.AttrPath(pointer, c.plan)
		if id == "" || !found || !strings.Contains(f.Message, id) {
			continue
		}
		var diags diag.Diagnostics
		addAt(&diags, diag.SeverityError, at, "There is no blueprint "+id, located(lens.Problem{Path: at, Detail: madeFirst("blueprint_identifier") + "\n\n" + err.Error()}))
		return &diagnosed{diags}
	}
	return err
}

func deleteAction(ctx context.Context, c *change) error {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: []string{"actions", formerID(lens.AsObj(c.prior), "blueprint", "identifier")}})
	return err
}

// keepLiterals gives back what a state can only show as text: literal values of
// datasets' rules, and values other than text in defaults of lists of objects. It
// is kept where the configuration says what it said before.
func keepLiterals(body, before, remote jsonv.Object) {
	inputs := func(document jsonv.Object) jsonv.Object {
		return jsonv.Map(document, "trigger", "userInputs", "properties")
	}
	mine, was, theirs := inputs(body), inputs(before), inputs(remote)
	for key := range mine {
		input, former, found := jsonv.Map(mine, key), jsonv.Map(was, key), jsonv.Map(theirs, key)
		if input == nil || former == nil || found == nil {
			continue
		}
		keepRules(jsonv.List(input, "dataset", "rules"), jsonv.List(former, "dataset", "rules"), jsonv.List(found, "dataset", "rules"))
		if v, ok := input["default"]; ok && jsonv.String(input, "items", "type") == "object" && jsonv.Equal(v, former["default"]) && sameTexts(v, found["default"]) {
			input["default"] = jsonv.Clone(found["default"])
		}
	}
}

func keepRules(mine, was, theirs []any) {
	for i, rule := range mine {
		if i >= len(was) || i >= len(theirs) {
			return
		}
		r, ok := rule.(jsonv.Object)
		literal, said := jsonv.Get(theirs[i], "value")
		if ok && said && jsonv.Equal(r, was[i]) && standsFor(r["value"], literal) {
			r["value"] = jsonv.Clone(literal)
		}
		keepRules(jsonv.List(rule, "rules"), jsonv.List(was[i], "rules"), jsonv.List(theirs[i], "rules"))
	}
}

// sameTexts reports whether a list of objects of texts is how another is shown.
func sameTexts(shown, other any) bool {
	mine, ok := shown.([]any)
	theirs, also := other.([]any)
	if !ok || !also || len(mine) != len(theirs) {
		return false
	}
	for i := range mine {
		m, t := jsonv.Map(mine[i]), jsonv.Map(theirs[i])
		if m == nil || t == nil || len(m) != len(t) {
			return false
		}
		for key, v := range t {
			if text, ok := m[key].(string); !ok || text != asText(v) {
				return false
			}
		}
	}
	return true
}

// planAction tells of a new name, and warns of blueprints that neither exist nor are known to be made; only
// those that change are looked at.
func planAction(ctx context.Context, c *change) diag.Diagnostics {
	var diags diag.Diagnostics
	if c.session == nil {
		return diags
	}
	if !c.prior.IsNull() && len(c.key) > 0 {
		c.renames("action", formerID(lens.AsObj(c.prior), "blueprint", "identifier"), c.key[0])
	}
	root := tftypes.NewAttributePath()
	look := func(at *tftypes.AttributePath, was, now tftypes.Value) {
		id, known := text(now)
		if before, _ := text(was); !known || id == before || !c.absent(ctx, id) {
			return
		}
		addAt(&diags, diag.SeverityWarning, at, "There is no blueprint "+id,
			"Port has no blueprint "+id+", and applying fails without it. "+madeFirst("blueprint_identifier"))
	}
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	look(root.WithAttributeName("self_service_trigger").WithAttributeName("blueprint_identifier"),
		lens.AsObj(was["self_service_trigger"])["blueprint_identifier"], lens.AsObj(now["self_service_trigger"])["blueprint_identifier"])
	events := lens.AsObj(now["automation_trigger"])
	for name, event := range events {
		if v, of := lens.AsObj(event)["blueprint_identifier"]; of {
			look(root.WithAttributeName("automation_trigger").WithAttributeName(name).WithAttributeName("blueprint_identifier"),
				lens.AsObj(lens.AsObj(was["automation_trigger"])[name])["blueprint_identifier"], v)
		}
	}
	return diags
}

// noticeAction warns of what a form holds that the resource cannot show.
func noticeAction(_ *session, k *kind, document jsonv.Object, _ tftypes.Value) diag.Diagnostics {
	return problems(k.codec.Unmodelled(document))
}
