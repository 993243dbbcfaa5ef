package runs

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// OriginAutomation is the source of the runs of automations and the origin of what
// they write (reference/actions.md §6.3 6).
const OriginAutomation = "AUTOMATION"

// Automated is an event that an automation reacts to.
type Automated struct {
	Org string
	// Automation is the document as it was when the event happened, with the order
	// of its keys.
	Automation store.Doc
	// Event is what templates see.
	Event jsonv.Object
	// By is the creator of the run.
	By string
	// Blueprint and Entity are what the event is about, as the run is to tell of
	// them; nil for events of runs.
	Blueprint, Entity jsonv.Object
	// Depth is that of the run in its chain of causes (§6.5).
	Depth int
}

// Planned is the run of an automation on its way (reference/actions.md §6.3), which runs
// with the organization's rights and is not asked for its permission. Its expressions
// are anybody's and may be slow, so they are evaluated outside of the transaction that
// makes it: [Runs.Plan], [Planned.Evaluate], [Planned.Make].
type Planned struct {
	s *starting
	// wrong is what is wrong with the method.
	wrong error
}

// Plan begins the run of an automation.
func (r *Runs) Plan(tx store.Tx, a Automated) (*Planned, error) {
	at := r.deps.Clock.Now().UTC()
	now, doc := clock.Stamp(at), actions.Public(a.Automation)
	run := newRun(r.deps.IDs.Run(), doc, a.By, OriginAutomation, now)
	if a.Blueprint != nil {
		run["blueprint"] = brief(a.Blueprint)
	}
	if a.Entity != nil {
		run["entity"] = brief(a.Entity)
	}
	k := &kept{place: r.newPlace(at), run: run, hidden: jsonv.Object{
		hiddenAction: doc["id"], hiddenMethod: doc["invocationMethod"], hiddenActionDoc: jsonv.Object{"identifier": doc["identifier"]},
		hiddenTrigger:    jsonv.Object{"by": jsonv.Map(a.Event, "trigger")["by"], "origin": OriginAutomation, "at": now},
		hiddenAutomation: true, hiddenEvent: a.Event, hiddenDepth: jsonv.Int(a.Depth),
	}}
	if order := actions.Order(a.Automation); order != nil {
		k.hidden[hiddenOrder] = order
	}
	if open, ok := doc["allowAnyoneToViewRuns"].(bool); ok {
		k.hidden[hiddenOpen] = open
	}
	s := &starting{r: r, org: a.Org, k: k}
	var err error
	s.secrets, err = r.deps.Vault.Secrets(tx, a.Org)
	return &Planned{s: s}, err
}

// Evaluate fills in the method within a budget.
func (p *Planned) Evaluate(ctx context.Context, budget *jq.Budget) error {
	p.s.ctx, p.s.budget = ctx, budget
	p.wrong = p.s.prepare(nil)
	if ofMethod(p.wrong) {
		return nil
	}
	return p.wrong
}

// Make makes the run. It may be called again when its transaction failed.
func (p *Planned) Make(ctx context.Context, tx store.Tx) error {
	s := *p.s
	s.by, s.action = Caller{Subject: access.Subject{Org: s.org, ID: jsonv.String(s.k.run, "createdBy")}, Source: OriginAutomation}, "CREATE"
	s.ctx, s.tx, s.k = ctx, tx, &kept{p.s.k.place, maps.Clone(p.s.k.run), maps.Clone(p.s.k.hidden)}
	// The event was needed to evaluate the method, which happens once.
	delete(s.k.hidden, hiddenEvent)
	err := p.wrong
	if err != nil {
		err = s.failOn(err)
	} else {
		err = s.deliver()
	}
	if err != nil {
		return err
	}
	return s.finish()
}

// Depth is how far a run stands from a request of somebody outside: 0 is one that
// such a request made, and no run at all.
func (r *Runs) Depth(tx store.Tx, org, id string) (int, error) {
	if id == "" {
		return 0, nil
	}
	k, err := get(tx, org, id)
	if err != nil {
		if fault.IsNotFound(err) {
			err = nil
		}
		return 0, err
	}
	n, _ := k.hidden[hiddenDepth].(json.Number)
	depth, err := n.Int64()
	if err != nil {
		return 0, nil //nolint:nilerr // a run that has no depth
	}
	return int(depth), nil
}

// Told is a run, and one of before it changed, as events tell of them, with the
// document of its action and what that is called; all but the name is nil when it is
// gone.
type Told struct {
	Before, After jsonv.Object
	Action        jsonv.Object
	Name          string
	// Trigger is that of the run itself.
	Trigger jsonv.Object
}

// Tell gives the documents of an event of a run.
func (r *Runs) Tell(tx store.Tx, e catalog.Event, version string) (Told, error) {
	var t Told
	k, err := get(tx, e.Actor.Org, e.RunID)
	if err != nil {
		return t, err
	}
	t.Trigger = jsonv.Map(k.hidden, hiddenTrigger)
	doc, err := r.deps.Actions.ByID(tx, e.Actor.Org, jsonv.String(k.hidden, hiddenAction))
	if err != nil {
		return t, err
	}
	t.Action, t.Name = actions.Public(doc), jsonv.String(k.run, "action", "identifier")
	if doc != nil {
		t.Name = jsonv.String(doc, "identifier")
	}
	shape := func(run jsonv.Object) (jsonv.Object, error) {
		if run == nil {
			return nil, nil
		}
		return r.show(tx, e.Actor.Org, &kept{run: run, hidden: k.hidden}, shown{older: version == "v1"})
	}
	if t.Before, err = shape(e.Before); err != nil {
		return t, err
	}
	t.After, err = shape(e.After)
	return t, err
}

// Change writes down a message for the destination of a blueprint's change log.
func (r *Runs) Change(tx store.Tx, org, blueprint string, destination, message jsonv.Object) error {
	sealed, err := r.deps.Vault.Seal(string(jsonv.Encode(jsonv.Object{"destination": destination, "body": message})), "")
	if err != nil {
		return err
	}
	return r.send(tx, org, Delivery{Kind: DeliverChange, Lane: "change " + blueprint, Method: jsonv.String(destination, "type"), Sealed: sealed})
}
