package runs

import (
	"context"
	"errors"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// shown says how runs are told.
type shown struct {
	// older is the shape of version=v1 (reference/actions.md §4.2).
	older   bool
	exclude []string
	// actions are those that were already looked up, by id.
	actions map[string]jsonv.Object
}

// show is a run as callers see it.
func (r *Runs) show(tx store.Tx, org string, k *kept, how shown) (jsonv.Object, error) {
	out := make(jsonv.Object, len(k.run)+2)
	for key, v := range k.run {
		out[key] = v
	}
	now, err := r.actionOf(tx, org, k, how)
	if err != nil {
		return nil, err
	}
	action := marked(jsonv.Map(k.run, "action"), now == nil)
	if action["identifier"], err = r.called(tx, org, k, now); err != nil {
		return nil, err
	}
	out["action"] = action
	if blueprint := jsonv.Map(k.run, "blueprint"); blueprint != nil {
		gone, err := isGone(tx, catalog.KindBlueprint, org, jsonv.String(blueprint, "identifier"))
		if err != nil {
			return nil, err
		}
		out["blueprint"] = marked(blueprint, gone)
	}
	if entity := jsonv.Map(k.run, "entity"); entity != nil {
		gone, err := isGone(tx, catalog.KindEntity, org, jsonv.String(k.run, "blueprint", "identifier"), jsonv.String(entity, "identifier"))
		if err != nil {
			return nil, err
		}
		out["entity"] = marked(entity, gone)
	}
	if how.older {
		older(out)
	}
	for _, key := range how.exclude {
		delete(out, key)
	}
	return out, nil
}

// actionOf is the action of a run as it is now, nil when it is gone.
func (r *Runs) actionOf(tx store.Tx, org string, k *kept, how shown) (jsonv.Object, error) {
	id := jsonv.String(k.hidden, hiddenAction)
	if a, ok := how.actions[id]; ok {
		return a, nil
	}
	a, err := r.deps.Actions.ByID(tx, org, id)
	if err == nil && how.actions != nil {
		how.actions[id] = a
	}
	return a, err
}

// called is the identifier of a run's action, which may have been renamed: the one
// that it has now, or had last.
func (r *Runs) called(tx store.Tx, org string, k *kept, now jsonv.Object) (string, error) {
	if now != nil {
		return jsonv.String(now, "identifier"), nil
	}
	last, err := r.deps.Actions.Former(tx, org, jsonv.String(k.hidden, hiddenAction))
	if last == "" {
		last = jsonv.String(k.run, "action", "identifier")
	}
	return last, err
}

func marked(o jsonv.Object, deleted bool) jsonv.Object {
	return jsonv.Object{"identifier": o["identifier"], "title": o["title"], "icon": o["icon"], "deleted": deleted}
}

// isGone tells whether a document is no longer there. System blueprints that nobody
// changed have none and are there all the same.
func isGone(tx store.Tx, kind store.Kind, key ...string) (bool, error) {
	if kind == catalog.KindBlueprint && catalog.IsSystem(key[len(key)-1]) {
		return false, nil
	}
	_, err := tx.Get(kind, key...)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// older turns a run into the older shape.
func older(run jsonv.Object) {
	action, blueprint, entity := jsonv.Map(run, "action"), jsonv.Map(run, "blueprint"), jsonv.Map(run, "entity")
	run["action"] = legacy.Short(jsonv.String(blueprint, "identifier"), jsonv.String(action, "identifier"))
	for key, o := range map[string]jsonv.Object{"relatedBlueprintExists": blueprint, "relatedEntityExists": entity} {
		run[key] = o != nil && !jsonv.Bool(o, "deleted")
		delete(o, "deleted")
	}
	if _, ok := run["endedAt"]; !ok {
		run["endedAt"] = nil
	}
	delete(run, "payload")
}

// visible tells whether a run is shown to a caller (§4.6).
func visible(k *kept, c Caller) bool {
	v := access.Run{
		Automation: jsonv.Bool(k.hidden, hiddenAutomation), Approvers: jsonv.Strings(k.hidden[hiddenApprovers]),
		Creators: []string{jsonv.String(k.run, "createdBy"), jsonv.String(k.run, "impersonatedBy")},
	}
	if open, ok := k.hidden[hiddenOpen].(bool); ok {
		v.Open = &open
	}
	return access.SeesRun(c.User, v)
}

// see reads a run that the caller may see.
func (r *Runs) see(tx store.Tx, c Caller, id string) (*kept, error) {
	k, err := get(tx, c.Org, id)
	if err == nil && !visible(k, c) {
		err = fault.NotFound("Run", id)
	}
	return k, err
}

// Read answers GET /v1/actions/runs/{run}; version is "v1", "v2" or "".
func (r *Runs) Read(_ context.Context, tx store.Tx, c Caller, id, version string) (jsonv.Object, error) {
	asked := &shape.Checker{}
	old := olderVersion(asked, version)
	if err := asked.Problems.Invalid(); err != nil {
		return nil, err
	}
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	return r.show(tx, c.Org, k, shown{older: old})
}

// olderVersion reads the version parameter; without it runs have the current shape.
func olderVersion(c *shape.Checker, version string) bool {
	parameter(c, "version", version, "v1", "v2")
	return version == "v1"
}

// Check implements [catalog.Runs]: catalog writes may be tied to runs that are in
// progress (§4.8).
func (r *Runs) Check(tx store.Tx, org, id string) error {
	k, err := get(tx, org, id)
	if err != nil {
		return err
	}
	if k.status() != InProgress {
		return fault.New(http.StatusBadRequest, "run_exhausted", "run %q is %s: only writes of runs that are %s can be tied to them", id, k.status(), InProgress)
	}
	return nil
}

// Visible implements [catalog.Runs].
func (r *Runs) Visible(tx store.Tx, actor catalog.Actor, id string) (bool, error) {
	k, err := get(tx, actor.Org, id)
	if fault.IsNotFound(err) {
		return false, nil
	}
	if err != nil || actor.Rights == nil {
		return err == nil, err
	}
	who, _, err := r.deps.People.Subject(tx, actor.Org, actor.User)
	if err != nil || who == nil {
		return false, err
	}
	return visible(k, Caller{Subject: *who}), nil
}
