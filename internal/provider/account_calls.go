package provider

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_user and port_service_account: those of entities, so that one
// request writes everything and refreshes are merged.

func (c *change) accountKey(key []string) []string {
	return []string{userBlueprint, c.kind.decl.id(key)}
}

func readAccount(id func([]string) string) readFunc {
	return func(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
		entity, err := s.api.ReadEntity(ctx, userBlueprint, id(key))
		if err != nil {
			return nil, err
		}
		return accountDocument(entity), nil
	}
}

// showAccount reads what the organization's blueprint computes as well.
func showAccount(id func([]string) string) readFunc {
	return func(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
		entity, err := showEntity(ctx, s, []string{userBlueprint, id(key)})
		if err != nil {
			return nil, err
		}
		return accountDocument(entity), nil
	}
}

func peekAccount(id func([]string) string) readFunc {
	return func(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
		entity, err := peekEntity(ctx, s, []string{userBlueprint, id(key)})
		if err != nil || entity == nil {
			return nil, err
		}
		return accountDocument(entity), nil
	}
}

// decodeAccount reads the added properties as those of any entity.
func decodeAccount(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) *decoding {
	if !prior.IsNull() {
		s.claimTeams(jsonv.String(body, "identifier"), lens.AsObj(prior)["teams"], false)
	}
	return typedDecoding(ctx, s, body, prior, prior.IsNull())
}

// makeAccount creates the entity of a document, or takes over the one that is
// there. answer is nil when it was taken over.
func (c *change) makeAccount(ctx context.Context, document jsonv.Object, given jsonv.Object) (made, answer jsonv.Object, err error) {
	entity := accountEntity(document)
	maps.Copy(jsonv.Map(entity, "properties"), given)
	answer, _, err = c.api.Create(ctx, portapi.Op{Method: http.MethodPost, Path: []string{"blueprints", userBlueprint, "entities"}, Body: entity})
	if portapi.IsConflict(err) {
		made, err = c.takeOver(ctx, document, err)
		return made, nil, err
	}
	if err != nil {
		return nil, nil, c.explainAccount(err, jsonv.Map(entity, "properties"))
	}
	created, err := envelope(answer, "entity")
	if err != nil {
		return nil, nil, err
	}
	return accountDocument(created), answer, nil
}

// takeOver brings an account that exists to a document.
func (c *change) takeOver(ctx context.Context, document jsonv.Object, conflict error) (jsonv.Object, error) {
	if !c.adopt {
		return nil, c.kind.errExists(c.key)
	}
	entity, err := getEntity(ctx, c.session, c.accountKey(c.key))
	if portapi.IsNotFound(err) {
		return nil, conflict // of something else than the name
	}
	if err != nil {
		return nil, err
	}
	there := accountDocument(entity)
	was, err := c.asDeclared(ctx, there)
	if err != nil {
		return nil, err
	}
	if jsonv.String(there, "status") == statusActive && neverAfterActive(jsonv.String(document, "status")) {
		document = maps.Clone(document)
		document["status"] = statusActive
	}
	c.warn(c.kind.existsSummary(c.key), "It was taken over and its content replaced.")
	return c.bringAccount(ctx, c.accountKey(c.key), was, document)
}

// asDeclared is a document with what the plan declares of it, as the codec puts it.
func (c *change) asDeclared(ctx context.Context, document jsonv.Object) (jsonv.Object, error) {
	held, err := c.kind.decode(ctx, c.session, document, c.plan)
	if err != nil {
		return nil, err
	}
	return c.kind.codec.Put(held, c.kind.null)
}

// updateAccount brings an account from what the state holds to a document. Of
// values that the state left alone and the plan declares, what stands there now
// counts: those that the plan does not name have to go.
func (c *change) updateAccount(ctx context.Context, document jsonv.Object) (jsonv.Object, error) {
	at, before := c.accountKey(c.was), c.before
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	for _, part := range []string{"properties", "relations"} {
		if !lens.Nothing(was[part]) || lens.Nothing(now[part]) {
			continue
		}
		entity, err := getEntity(ctx, c.session, at)
		if err != nil {
			return nil, err
		}
		declared, err := c.asDeclared(ctx, accountDocument(entity))
		if err != nil {
			return nil, err
		}
		before = maps.Clone(before)
		before[part] = declared[part]
	}
	return c.bringAccount(ctx, at, before, document)
}

// bringAccount changes an account from what is known of it to a document. What is
// the same is not sent: it may have changed in the meantime, and not everybody may
// write everything.
func (c *change) bringAccount(ctx context.Context, at []string, was, now jsonv.Object) (jsonv.Object, error) {
	patch, gone := accountChange(was, now)
	var entity jsonv.Object
	var err error
	switch {
	case len(gone) > 0:
		entity, err = c.replaceAccount(ctx, at, patch, gone)
	case len(patch) > 0:
		entity, err = c.sendAccount(ctx, http.MethodPatch, at, patch)
	default:
		entity, err = getEntity(ctx, c.session, at)
	}
	if err != nil {
		return nil, c.explainAccount(err, jsonv.Map(patch, "properties"))
	}
	return accountDocument(entity), nil
}

func (c *change) sendAccount(ctx context.Context, method string, at []string, body jsonv.Object) (jsonv.Object, error) {
	answer, err := c.api.Call(ctx, portapi.Op{Method: method, Path: entityPath(at), Body: body, Repeat: portapi.RepeatSafe})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "entity")
}

// replaceAccount puts the entity as it is now with a patch and without some keys.
// Teams that the patch does not name stay (reference/identity.md §4.3).
func (c *change) replaceAccount(ctx context.Context, at []string, patch jsonv.Object, gone []removal) (jsonv.Object, error) {
	entity, err := getEntity(ctx, c.session, at)
	if err != nil {
		return nil, err
	}
	body := jsonv.Object{"identifier": at[1], "properties": jsonv.Object{}, "relations": jsonv.Object{}}
	for _, key := range []string{"title", "icon"} {
		if v := entity[key]; v != nil {
			body[key] = v
		}
	}
	for _, key := range []string{"title", "icon", "team"} {
		if v, ok := patch[key]; ok && v == nil {
			delete(body, key)
		} else if ok {
			body[key] = v
		}
	}
	for _, part := range []string{"properties", "relations"} {
		into := jsonv.Map(body, part)
		maps.Copy(into, jsonv.Map(entity, part))
		maps.Copy(into, jsonv.Map(patch, part))
	}
	for name := range builtInNames() {
		if jsonv.Map(body, "properties")[name] == nil {
			delete(jsonv.Map(body, "properties"), name)
		}
	}
	for _, g := range gone {
		delete(jsonv.Map(body, g.part), g.key)
	}
	return c.sendAccount(ctx, http.MethodPut, at, body)
}

func builtInNames() map[string]bool {
	out := map[string]bool{}
	for _, name := range builtIn {
		out[name] = true
	}
	return out
}

func deleteAccount(ctx context.Context, c *change) error {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: entityPath(c.accountKey(c.was))})
	return c.explainAccount(err, nil)
}

// destroyAccount names the entities that cannot be without the user.
func destroyAccount(ctx context.Context, c *change) diag.Diagnostics {
	entity := *c
	entity.was = c.accountKey(c.was)
	return destroyEntity(ctx, &entity)
}

// explainAccount adds what the rules of reference/identity.md §2.5, §2.6 and §3.2
// mean for whoever reads the refusal.
func (c *change) explainAccount(err error, properties jsonv.Object) error {
	var advice []string
	protected := false
	for name := range builtInNames() {
		_, sent := properties[name]
		protected = protected || sent
	}
	switch {
	case portapi.HasCode(err, "missing_permissions") && protected:
		advice = append(advice, "Only administrators and the credentials of the organization may change the status, role or moderated blueprints of a user, "+
			"and nobody may change their own status: use the provider with other credentials than those of this user.")
	case portapi.HasCode(err, "missing_permissions") && c.plan.IsNull():
		advice = append(advice, "Only administrators and the credentials of the organization may delete a user, and nobody may delete themselves: "+
			"use the provider with other credentials than those of this user.")
	case portapi.HasCode(err, "protected_resource"):
		advice = append(advice, "A team that is synchronized from the identity provider gets its members there: list in teams those of them that the user has, or leave teams out.")
	case portapi.HasCode(err, "has_dependents"):
		advice = append(advice, "Other entities have a required relation to this user: delete them first, or let them lead to somebody else.")
	}
	if err == nil || len(advice) == 0 {
		return err
	}
	return &advised{strings.Join(advice, "\n"), err}
}

// planAccount warns of properties of another type than the blueprint declares, and
// of a membership that is also declared elsewhere.
func planAccount(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil {
		return nil
	}
	var diags diag.Diagnostics
	if c.sends() {
		diags.Append(c.mistypings(ctx, userBlueprint)...)
	}
	if len(c.key) > 0 {
		id := c.kind.decl.id(c.key)
		c.claimTeams(id, lens.AsObj(c.plan)["teams"], true)
		diags.Append(c.contestedUser(id)...)
	}
	return diags
}

// neverAfterActive reports whether a status can no longer be given to a user that
// was Active once (reference/identity.md §2.5).
func neverAfterActive(status string) bool {
	return strings.EqualFold(status, statusInvited) || strings.EqualFold(status, statusStaged)
}
