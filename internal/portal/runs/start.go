package runs

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// agentInstallation claims what the relay is to deliver (reference/actions.md §3.2).
const agentInstallation = "_PORT_EXEC_AGENT"

// starting is a run whose method is being evaluated (§3.5).
type starting struct {
	r        *Runs
	ctx      context.Context //nolint:containedctx // it lives exactly as long as the call whose context it is
	tx       store.Tx
	org      string
	k        *kept
	method   jsonv.Object
	document jsonv.Object
	secrets  map[string]string
	// budget bounds the evaluation; nil is what [template.Options] give.
	budget *jq.Budget
	// payload is the evaluated method with what is secret in it.
	payload jsonv.Object
	// as is [Delivery.As].
	as string
	// by, action and before are what is recorded of the start itself; begun is the
	// run that was recorded.
	by     Caller
	action string
	before jsonv.Object
	begun  jsonv.Object
}

// start evaluates the method of a run that is in progress from now on, writes down
// what is to be sent, and stores and records the run: as a run that was made, or as
// one that was different before. What is wrong with the method fails the run, not
// the request. A run that ends at once is recorded twice, as any other is that
// begins and ends (§4.4).
func (r *Runs) start(ctx context.Context, tx store.Tx, c Caller, k *kept, entity jsonv.Object, action string, before jsonv.Object) error {
	s := &starting{r: r, ctx: ctx, tx: tx, org: c.Org, k: k, by: c, action: action, before: before}
	if err := s.invoke(entity); err != nil {
		return err
	}
	return s.finish()
}

// finish stores and records what became of the run, as far as [starting.begin] has
// not.
func (s *starting) finish() error {
	if s.begun == nil {
		return s.begin()
	}
	if err := put(s.tx, s.org, s.k); err != nil {
		return err
	}
	return s.r.record(s.tx, s.by, "UPDATE", s.begun, s.k)
}

// begin stores the run and records that it is in progress.
func (s *starting) begin() error {
	s.begun = jsonv.CloneObject(s.k.run)
	if err := put(s.tx, s.org, &kept{s.k.place, s.begun, jsonv.CloneObject(s.k.hidden)}); err != nil {
		return err
	}
	return s.r.record(s.tx, s.by, s.action, s.before, s.k)
}

func (s *starting) invoke(entity jsonv.Object) (err error) {
	r, tx, org, k := s.r, s.tx, s.org, s.k
	if why := jsonv.String(k.hidden, hiddenFault); why != "" {
		return s.fail(why)
	}
	if s.secrets, err = r.deps.Vault.Secrets(tx, org); err != nil {
		return err
	}
	if err := s.prepare(entity); err != nil {
		return s.failOn(err)
	}
	return s.deliver()
}

// prepare evaluates the method, for which it needs no transaction.
func (s *starting) prepare(entity jsonv.Object) (err error) {
	s.document = s.evaluationDocument(entity)
	s.method = withMessage(s.k.hidden)
	if s.payload, err = s.evaluate(s.secrets); err != nil {
		return err
	}
	if err := complete(s.payload, jsonv.String(s.method, "type")); err != nil {
		return err
	}
	if s.as, err = s.rights(); err != nil {
		return err
	}
	s.k.run["payload"], err = s.readable()
	return err
}

// readable is the evaluated method for everybody to read: what is secret is masked
// (§3.4). Only the method that is sent must make sense, so a URL that is a secret as
// a whole is no fault here.
func (s *starting) readable() (jsonv.Object, error) {
	if len(s.secrets) == 0 {
		return s.payload, nil
	}
	hidden := make(map[string]string, len(s.secrets))
	for name := range s.secrets {
		hidden[name] = masked
	}
	out, err := s.evaluate(hidden)
	var impossible *template.Error
	if errors.As(err, &impossible) { // only with what is secret it makes sense
		return jsonv.Object{"type": s.method["type"]}, nil
	}
	if err != nil {
		return nil, err
	}
	if jsonv.String(s.method, "type") == "WEBHOOK" {
		// They are none of the secrets: how it is sent follows from what is sent.
		for _, key := range []string{"agent", "synchronized", "method"} {
			out[key] = s.payload[key]
		}
		if _, ok := out["body"]; !ok && s.payload["agent"] == true {
			out["body"] = jsonv.Object{}
		}
		out["headers"] = texts(jsonv.Map(out, "headers"))
		return out, nil
	}
	return out, complete(out, jsonv.String(s.method, "type"))
}

// evaluationDocument is what templates see (§3.4), all but the secrets.
func (s *starting) evaluationDocument(entity jsonv.Object) jsonv.Object {
	k := s.k
	d := jsonv.Object{
		"inputs": jsonv.OrNull(jsonv.Map(k.hidden, hiddenInputs)), "trigger": jsonv.Map(k.hidden, hiddenTrigger), "event": jsonv.OrNull(jsonv.Map(k.hidden, hiddenEvent)),
		"action": jsonv.Map(k.hidden, hiddenActionDoc), "run": jsonv.Object{"id": k.id()}, "entity": jsonv.Object{},
	}
	switch {
	case jsonv.Bool(k.hidden, hiddenAutomation):
		d["entity"] = nil
	case entity != nil:
		d["entity"] = entity
	}
	return d
}

// withMessage gives a method that configures no message the one that it sends then
// (§3.6): the standard run message, or the event of an automation. Pipelines get the
// inputs as their variables.
func withMessage(hidden jsonv.Object) jsonv.Object {
	method := jsonv.Map(hidden, hiddenMethod)
	key := map[string]string{"WEBHOOK": "body", "KAFKA": "payload", "AZURE_DEVOPS": "payload", "GITLAB": "pipelineVariables"}[jsonv.String(method, "type")]
	if _, configured := method[key]; key == "" || configured || jsonv.String(method, "method") == "GET" {
		return method
	}
	out := make(jsonv.Object, len(method)+1)
	for name, v := range method {
		out[name] = v
	}
	if jsonv.Map(hidden, hiddenEvent) != nil && key != "pipelineVariables" {
		out[key] = jsonv.Object{"{{ spreadValue() }}": "{{ . as $all | .event | .context.runId = $all.run.id }}"}
		return out
	}
	properties := jsonv.Object{}
	for _, id := range sortedKeys(jsonv.Map(hidden, hiddenInputs)) {
		properties[id] = jsonv.Object{}
	}
	for _, id := range jsonv.Strings(hidden[hiddenEntities]) {
		properties[id] = jsonv.Object{"format": "entity"}
	}
	if key == "pipelineVariables" {
		out[key] = legacy.Inputs(properties)
	} else {
		out[key] = legacy.Message(method, properties, "")
	}
	return out
}

// evaluate fills in the method with some values for the secrets.
func (s *starting) evaluate(secrets map[string]string) (jsonv.Object, error) {
	return s.fill(s.method, s.document, secrets)
}

// fill evaluates a method, or a part of one, on a document and secrets.
func (s *starting) fill(method, on jsonv.Object, secrets map[string]string) (jsonv.Object, error) {
	known := make(jsonv.Object, len(secrets))
	for name, v := range secrets {
		known[name] = v
	}
	document := make(jsonv.Object, len(on)+1)
	for key, v := range on {
		document[key] = v
	}
	document["secrets"] = known
	v, _, err := template.Compile(method, actions.OrderOf(jsonv.Map(s.k.hidden, hiddenOrder))).Eval(s.ctx, document, template.Options{Now: s.r.deps.Clock.Now, Budget: s.budget})
	if err != nil {
		return nil, err
	}
	out, ok := v.(jsonv.Object)
	if !ok {
		return nil, errors.New("the invocation method is no object")
	}
	// What has no templates evaluates to itself: the stored document, which is shared.
	return jsonv.CloneObject(out), nil
}

// failOn ends the run for what is wrong with its method; other errors stay errors.
func (s *starting) failOn(err error) error {
	if ofMethod(err) {
		return s.fail("The invocation method cannot be evaluated: " + err.Error())
	}
	return err
}

func ofMethod(err error) bool {
	var t *template.Error
	var b *badMethod
	return errors.As(err, &t) || errors.As(err, &b)
}

// fail ends the run with a line in its log.
func (s *starting) fail(why string) error {
	if s.begun == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	if err := s.log(why); err != nil {
		return err
	}
	return s.r.enter(s.k, fail, s.r.deps.Clock.Now().UTC())
}

// log keeps what is secret out of the line.
func (s *starting) log(line string) error {
	line = hide(line, s.secrets)
	_, err := s.r.addLog(s.tx, s.org, jsonv.String(s.k.run, "createdBy"), s.k.id(), line)
	return err
}

// badMethod says what an evaluated method cannot be.
type badMethod struct{ message string }

func (b *badMethod) Error() string { return b.message }

// complete checks an evaluated method and fills in its defaults.
func complete(out jsonv.Object, kind string) error {
	switch kind {
	case "WEBHOOK":
		return webhook(out)
	case "GITHUB":
		out["reportWorkflowStatus"] = flag(out["reportWorkflowStatus"], true)
	case "INTEGRATION_ACTION":
		if p := jsonv.Map(out, "integrationActionExecutionProperties"); p != nil {
			p = jsonv.CloneObject(p)
			p["reportWorkflowStatus"] = flag(p["reportWorkflowStatus"], true)
			out["integrationActionExecutionProperties"] = p
		}
	}
	return nil
}

func webhook(out jsonv.Object) error {
	address, _ := out["url"].(string)
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return &badMethod{"/url is no absolute http or https URL"}
	}
	out["agent"], out["synchronized"] = flag(out["agent"], false), flag(out["synchronized"], false)
	if m, _ := out["method"].(string); m == "" || !slices.Contains(actions.Verbs, m) {
		if out["method"] != nil {
			return &badMethod{"/method is none of " + strings.Join(actions.Verbs, ", ")}
		}
		out["method"] = "POST"
	}
	headers := texts(jsonv.Map(out, "headers"))
	for _, name := range sortedKeys(headers) {
		if !validHeader(name, jsonv.String(headers, name)) {
			return &badMethod{"/headers/" + name + " is no HTTP header"}
		}
	}
	out["headers"] = headers
	if _, ok := out["body"]; !ok && out["agent"] == true {
		out["body"] = jsonv.Object{} // relays insist on one (reference/clients.md §11 C29)
	}
	return nil
}

// texts are headers as text; those that came out null are not sent.
func texts(headers jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for name, v := range headers {
		if v != nil {
			out[name] = textOf(v)
		}
	}
	return out
}

// flag reads a boolean that may have come out of a template as text.
func flag(v any, otherwise bool) bool {
	switch v {
	case true, "true":
		return true
	case false, "false":
		return false
	}
	return otherwise
}

// deliver sees to it that the evaluated method reaches its backend.
func (s *starting) deliver() error {
	k := s.k
	switch kind := jsonv.String(s.method, "type"); {
	case kind == "UPSERT_ENTITY":
		return s.upsert()
	case kind == "INTEGRATION_ACTION":
		return s.offer(jsonv.String(s.payload, "installationId"))
	case kind == "GITLAB", kind == "WEBHOOK" && jsonv.Bool(s.payload, "agent"):
		return s.relay()
	}
	sealed, err := s.r.deps.Vault.Seal(string(jsonv.Encode(s.payload)), k.id())
	if err != nil {
		return err
	}
	return s.r.send(s.tx, s.org, Delivery{
		Kind: DeliverRun, Run: k.id(), Lane: jsonv.String(k.hidden, hiddenAction), Method: jsonv.String(s.method, "type"), Sealed: sealed, As: s.as,
		Automation: jsonv.Bool(k.hidden, hiddenAutomation),
	})
}

// offer keeps the run for those who claim it (§3.9).
func (s *starting) offer(installation string) error {
	sealed, err := s.r.deps.Vault.Seal(string(jsonv.Encode(s.payload)), s.k.id())
	if err != nil {
		return err
	}
	s.k.run["pendingExecution"], s.k.run["installationId"] = true, installation
	s.k.hidden[hiddenPayload] = sealed
	return nil
}

// upsert writes the entity that the method maps, with the organization's rights,
// and ends the run.
func (s *starting) upsert() error {
	mapping := jsonv.Map(s.payload, "mapping")
	body := jsonv.Object{"properties": jsonv.OrEmpty(jsonv.Map(mapping, "properties")), "relations": jsonv.OrEmpty(jsonv.Map(mapping, "relations"))}
	for _, key := range []string{"identifier", "title", "icon", "team"} {
		if v := mapping[key]; v != nil {
			body[key] = v
		}
	}
	actor := catalog.Actor{Org: s.org, ID: jsonv.String(s.k.run, "createdBy"), Origin: jsonv.String(s.k.run, "source")}
	if actor.Origin == "" {
		actor.Origin = "API"
	}
	// The run is stored first: the entity's record names it.
	if err := s.begin(); err != nil {
		return err
	}
	entity, _, err := s.r.deps.Catalog.CreateEntity(jq.Apart(s.ctx), s.tx, actor, jsonv.String(s.payload, "blueprintIdentifier"), body,
		catalog.WriteOptions{Upsert: true, Merge: true, RunID: s.k.id()})
	var refused *fault.Fault
	if errors.As(err, &refused) {
		return s.fail("The entity was refused: " + refused.Message)
	}
	if err != nil {
		return err
	}
	s.k.run["response"] = jsonv.Object{"entity": entity}
	return s.r.enter(s.k, succeed, s.r.deps.Clock.Now().UTC())
}
