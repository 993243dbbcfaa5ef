package runs

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/inputs"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Order is a request to execute an action.
type Order struct {
	Caller Caller
	Action string
	Body   any
	// RunAs is the e-mail of the user for whom a machine makes the run.
	RunAs string
	// Of is given on the older routes, which name what they run on
	// (reference/actions.md §9.1).
	Of *Target
	// Draft is what remains when the order is tried again.
	Draft *Draft
}

// Draft is what is drawn for a run when it is tried first: expressions see it, and
// when the run is rehearsed they must see the same again ([jq.Rehearsal]).
type Draft struct {
	at      time.Time
	id      string
	ciphers map[string]string // by what was encrypted
}

// draw fills in a draft.
func (r *Runs) draw(d *Draft) *Draft {
	if d == nil {
		d = &Draft{}
	}
	if d.id == "" {
		d.at, d.id, d.ciphers = r.deps.Clock.Now().UTC(), r.deps.IDs.Run(), map[string]string{}
	}
	return d
}

// Target is what an older route names: a blueprint, of whose actions one is run, and
// the entity to run it on, "" on the route of actions that make one.
type Target struct{ Blueprint, Entity string }

// execution is a run on its way, in the order of reference/actions.md §4.1.
type execution struct {
	r      *Runs
	ctx    context.Context //nolint:containedctx // an execution lives exactly as long as the call whose context it is
	tx     store.Tx
	order  Order
	now    time.Time
	who    Caller // whom every check is about
	action jsonv.Object
	keys   jsonv.Object // the order of the action's keys
	author string       // see [actions.Author]
	// entity and blueprint are nil when the run has none.
	entity, blueprint jsonv.Object
	posted            jsonv.Object
	wanted            string // the entity asked for
	form              *inputs.Form
	resolved          *inputs.Resolved
	trigger           jsonv.Object
}

// Execute answers POST /v1/actions/{action}/runs and the older routes, those in the
// older shape. Whoever calls it wakes the outbox after the transaction.
func (r *Runs) Execute(ctx context.Context, tx store.Tx, o Order) (jsonv.Object, error) {
	o.Draft = r.draw(o.Draft)
	x := &execution{r: r, ctx: ctx, tx: tx, order: o, now: o.Draft.at, who: o.Caller}
	for _, step := range []func() error{x.read, x.find, x.selfService, x.impersonate, x.target, x.condition, x.resolve, x.permit, x.validate} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	k, err := x.create()
	if err != nil {
		return nil, err
	}
	return r.show(tx, o.Caller.Org, k, shown{older: o.Of != nil})
}

// read checks the body (step 1).
func (x *execution) read() error {
	takes := shape.Takes{"properties": shape.Mapping, "entity": shape.OrNull(shape.Text)}
	if x.order.Of != nil {
		takes = shape.Takes{"properties": shape.Mapping}
	}
	var c shape.Checker
	body := c.Closed(x.order.Body, nil, takes, "properties")
	if as := x.order.RunAs; as != "" {
		if name, domain, ok := strings.Cut(as, "@"); !ok || name == "" || domain == "" {
			c.Add("format", []string{"query", "run_as"}, "must be an e-mail address")
		}
	}
	x.posted, x.wanted = jsonv.Map(body, "properties"), jsonv.String(body, "entity")
	if x.order.Of != nil {
		x.wanted = x.order.Of.Entity
	}
	return c.Problems.Invalid()
}

// find looks the action up (step 2).
func (x *execution) find() (err error) {
	stored, err := x.stored()
	if err != nil {
		return err
	}
	x.action, x.keys, x.author = actions.Public(stored), actions.Order(stored), actions.Author(stored)
	published, said := x.action["publish"].(bool)
	hidden := said && !published && !x.who.User.Admin()
	if x.action == nil || hidden {
		return fault.NotFound("Action", x.order.Action)
	}
	return nil
}

func (x *execution) stored() (jsonv.Object, error) {
	if of := x.order.Of; of != nil {
		return x.r.deps.Actions.OfBlueprint(x.tx, x.who.Org, of.Blueprint, x.order.Action)
	}
	return x.r.deps.Actions.Action(x.tx, x.who.Org, x.order.Action)
}

func (x *execution) selfService() error {
	if jsonv.String(x.action, "trigger", "type") != "self-service" {
		return fault.New(http.StatusUnprocessableEntity, "run_non_self_service_error", "action %q is an automation: only its event runs it", x.order.Action)
	}
	return nil
}

// impersonate lets a machine act for a user (step 4).
func (x *execution) impersonate() error {
	if x.order.RunAs == "" {
		return nil
	}
	if !x.who.machine() {
		return fault.NotPermitted("run an action as somebody else: only machine credentials may")
	}
	who, active, err := x.r.deps.People.Subject(x.tx, x.who.Org, x.order.RunAs)
	switch {
	case err != nil:
		return err
	case who == nil:
		return fault.NotFound("User", x.order.RunAs)
	case !active:
		return fault.NotPermitted("run an action as %q, who is not Active", x.order.RunAs)
	}
	x.who.Subject = *who
	return nil
}

// target finds the entity that the action is run on (step 5).
func (x *execution) target() (err error) {
	id := jsonv.String(x.action, "trigger", "blueprintIdentifier")
	if id == "" {
		return nil
	}
	// The blueprint is part of the action, whoever runs it.
	if x.blueprint, err = x.r.deps.Catalog.ReadBlueprint(x.ctx, x.tx, catalog.Actor{Org: x.who.Org}, id); err != nil {
		return err
	}
	if jsonv.String(x.action, "trigger", "operation") == "CREATE" {
		if x.order.Of != nil && x.wanted != "" {
			return notOn("additionalProperties", "action %q makes something new: it is not run on an entity", x.order.Action)
		}
		return nil
	}
	if x.wanted == "" {
		return fault.New(http.StatusUnprocessableEntity, "missing_self_service_action_entity", "action %q is run on an entity of blueprint %q: say which", x.order.Action, id)
	}
	x.entity, err = x.r.deps.Catalog.ReadEntity(x.ctx, x.tx, x.r.rights(x.who), id, x.wanted, catalog.ReadOptions{})
	x.entity = seen(x.entity)
	return err
}

// notOn refuses a run on the entity that is asked for.
func notOn(keyword, format string, args ...any) error {
	return fault.Problems{{Path: "/entity", Keyword: keyword, Message: fmt.Sprintf(format, args...)}}.Invalid()
}

// seen is an entity as expressions see it: some keys are there whatever it has.
func seen(entity jsonv.Object) jsonv.Object {
	if entity == nil {
		return nil
	}
	out := jsonv.Object{"icon": nil, "scorecards": jsonv.Object{}}
	for key, v := range entity {
		out[key] = v
	}
	return out
}

// asked is the run as policies see it.
func (x *execution) asked() access.Execution {
	a := access.Execution{
		Executor: x.who.Subject, Origin: x.who.Source, At: x.now,
		Action: x.action, Blueprint: x.blueprint, Entity: x.entity,
	}
	if x.resolved != nil {
		a.Inputs = mask(x.resolved.Values, x.form.Encrypted())
	}
	return a
}

// resolve fills in the form (step 7).
func (x *execution) resolve() (err error) {
	if x.form, err = x.r.forms.of(x.action); err != nil {
		return err
	}
	if x.trigger, err = x.r.deps.Access.Trigger(x.tx, x.asked()); err != nil {
		return err
	}
	profile, err := x.r.deps.Access.Profile(x.ctx, x.tx, x.who.Subject)
	if err != nil {
		return err
	}
	var entity any
	if x.entity != nil {
		entity = x.entity
	}
	x.resolved, err = x.form.Resolve(x.ctx, inputs.Asked{
		Posted: x.posted, Entity: entity, User: profile, Trigger: x.trigger, Now: x.r.deps.Clock.Now,
		World: world{x}, AllowUnknown: x.r.deps.AllowUnknownInputs,
	})
	return err
}

// world shows the runner of an action the entities that inputs name.
type world struct{ x *execution }

func (w world) Entity(blueprint, id string) (jsonv.Object, error) {
	x := w.x
	entity, err := x.r.deps.Catalog.ReadEntity(x.ctx, x.tx, x.r.rights(x.who), blueprint, id, catalog.ReadOptions{})
	if fault.IsNotFound(err) {
		return nil, nil
	}
	return seen(entity), err
}

func (x *execution) permit() error { return x.r.deps.Access.MayExecute(x.ctx, x.tx, x.asked()) }

// validate checks the inputs (step 9).
func (x *execution) validate() error { return x.resolved.Check().Invalid() }

// create makes the run (step 10).
func (x *execution) create() (*kept, error) {
	r := x.r
	secret := x.form.Encrypted()
	run := newRun(x.order.Draft.id, x.action, x.who.ID, x.who.Source, clock.Stamp(x.now))
	run["properties"], run["rawProperties"] = mask(x.resolved.Expanded, secret), mask(x.posted, secret)
	if x.blueprint != nil {
		run["blueprint"] = brief(x.blueprint)
	}
	if x.entity != nil {
		run["entity"] = brief(x.entity)
	}
	if x.order.RunAs != "" {
		run["impersonatedBy"] = x.order.Caller.ID
	}
	if required, ok := x.action["requiredApproval"]; ok && required != nil {
		run["requiredApproval"] = required
	}
	k := &kept{place: r.newPlace(x.now), run: run, hidden: jsonv.Object{
		hiddenAction: x.action["id"], hiddenTrigger: x.trigger, hiddenMethod: x.action["invocationMethod"],
		hiddenValues: x.asked().Inputs, hiddenActionDoc: actionOf(x.action, secret), hiddenEntities: jsonv.FromStrings(x.form.Entities()),
	}}
	if x.keys != nil {
		k.hidden[hiddenOrder] = x.keys
	}
	if x.author != "" {
		k.hidden[hiddenAuthor] = x.author
	}
	if err := x.chain(k); err != nil {
		return nil, err
	}
	if open, ok := x.action["allowAnyoneToViewRuns"].(bool); ok {
		k.hidden[hiddenOpen] = open
	}
	depth, err := r.Depth(x.tx, x.who.Org, x.order.Caller.Cause)
	if err != nil {
		return nil, err
	}
	if depth > 0 {
		k.hidden[hiddenDepth] = jsonv.Int(depth)
	}
	if x.who.User != nil {
		k.hidden[hiddenCreator] = x.who.User.Email
	}
	if err := x.encrypt(k); err != nil {
		return nil, err
	}
	if run["requiredApproval"] == false {
		return k, r.start(x.ctx, x.tx, x.who, k, x.entity, "CREATE", nil)
	}
	run["status"] = Waiting
	if err := x.await(k); err != nil {
		return nil, err
	}
	if err := put(x.tx, x.who.Org, k); err != nil {
		return nil, err
	}
	return k, r.record(x.tx, x.who, "CREATE", nil, k)
}

// encrypt keeps the inputs as templates see them: what is secret is encrypted now
// (reference/actions.md §3.8). A client secret that is no key fails the run when it starts.
func (x *execution) encrypt(k *kept) error {
	values := jsonv.CloneObject(x.resolved.Expanded)
	for _, id := range x.form.Encrypted() {
		v, given := values[id]
		if !given || v == nil || !x.form.EncryptedByServer(id) {
			continue
		}
		secret, err := x.r.deps.Vault.ClientSecret(x.tx, x.who.Org)
		if err != nil {
			return err
		}
		plain := textOf(v)
		if cipher, ok := x.order.Draft.ciphers[id+" "+secret+plain]; ok {
			values[id] = cipher
			continue
		}
		// 16 alphanumerics are as good a vector as any: no two are alike.
		random := func(n int) ([]byte, error) { return []byte(x.r.deps.IDs.Alphanumeric(n)), nil }
		cipher, err := crypt.Encrypt(secret, random, []byte(plain))
		if err != nil {
			values[id], k.hidden[hiddenFault] = masked, err.Error()
			continue
		}
		values[id], x.order.Draft.ciphers[id+" "+secret+plain] = cipher, cipher
	}
	k.hidden[hiddenInputs] = values
	return nil
}

// textOf is a string itself and anything else as compact JSON.
func textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(jsonv.Encode(v))
}

// brief is how a run tells of a thing: as it was called when the run was made.
func brief(o jsonv.Object) jsonv.Object {
	return jsonv.Object{"identifier": o["identifier"], "title": o["title"], "icon": o["icon"]}
}

// actionOf is .action of templates (§3.4).
func actionOf(action jsonv.Object, encrypted []string) jsonv.Object {
	out := jsonv.Object{"identifier": action["identifier"], "title": action["title"], "encryptedProperties": jsonv.FromStrings(encrypted)}
	if blueprint := jsonv.String(action, "trigger", "blueprintIdentifier"); blueprint != "" {
		out["blueprint"] = blueprint
	}
	return out
}

// formCache keeps compiled forms by action and version.
type formCache struct {
	mu    sync.Mutex
	forms map[string]*inputs.Form
}

const mostForms = 1024

func (c *formCache) of(action jsonv.Object) (*inputs.Form, error) {
	key := jsonv.String(action, "id") + " " + jsonv.String(action, "updatedAt") + " " + string(jsonv.Encode(action["trigger"]))
	c.mu.Lock()
	f := c.forms[key]
	c.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, problems := inputs.Compile(jsonv.Map(action, "trigger")["userInputs"], "trigger", "userInputs")
	if err := problems.Invalid(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forms == nil || len(c.forms) >= mostForms {
		c.forms = map[string]*inputs.Form{}
	}
	c.forms[key] = f
	return f, nil
}
