package legacy

import (
	"fmt"
	"maps"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Current is what a document means in the current format. On a blueprint's own
// routes it is kept as "<blueprint>_<identifier>", elsewhere as it is
// (reference/actions.md §1.7); prefixed says which. The document is one that
// [Check] accepts.
func Current(doc jsonv.Object, blueprint string, prefixed bool) jsonv.Object {
	id, prefix := jsonv.String(doc, "identifier"), ""
	if prefixed {
		id, prefix = Identifier(blueprint, id), blueprint
	}
	trigger := jsonv.Object{"type": "self-service", "operation": doc["trigger"], "userInputs": doc["userInputs"]}
	if blueprint != "" {
		trigger["blueprintIdentifier"] = blueprint
	}
	out := jsonv.Object{
		"identifier": id, "trigger": trigger, "publish": true,
		"invocationMethod": currentMethod(jsonv.Map(doc, "invocationMethod"), jsonv.Map(doc, "userInputs", "properties"), prefix),
	}
	for _, key := range []string{"title", "icon", "description", "requiredApproval", "approvalNotification"} {
		if v, ok := doc[key]; ok {
			out[key] = v
		}
	}
	return out
}

// Identifier is what an action of a blueprint's own routes is kept as.
func Identifier(blueprint, id string) string { return blueprint + "_" + id }

func currentMethod(old, properties jsonv.Object, prefix string) jsonv.Object {
	kind := jsonv.String(old, "type")
	out := jsonv.Object{"type": methods[kind].name}
	message := Message(old, properties, prefix)
	keep := func(keys ...string) {
		for _, key := range keys {
			if v := old[key]; v != nil {
				out[key] = v
			}
		}
	}
	switch kind {
	case "WEBHOOK":
		keep("url", "agent", "synchronized", "method")
		out["body"] = message
	case "KAFKA":
		out["payload"] = message
	case "AZURE-DEVOPS":
		keep("org", "webhook")
		out["payload"] = message
	case "GITHUB":
		keep("org", "repo", "workflow", "reportWorkflowStatus")
		out["workflowInputs"] = variables(old, properties, message)
	case "GITLAB":
		keep("projectName", "groupName", "defaultRef")
		out["pipelineVariables"] = variables(old, properties, message)
	}
	return out
}

// PortPayload is the variable in which workflows and pipelines receive the message; the
// relay makes it up where it is missing.
const PortPayload = "port_payload"

func variables(old, properties, message jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	if !jsonv.Bool(old, "omitUserInputs") {
		maps.Copy(out, Inputs(properties))
	}
	if !jsonv.Bool(old, "omitPayload") {
		out[PortPayload] = message
	}
	return out
}

// Inputs passes on each input that was submitted: a key that evaluates to null is
// dropped, and an entity goes by its identifier.
func Inputs(properties jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for id, definition := range properties {
		name := string(jsonv.Encode(id))
		value := ".inputs." + name
		if jsonv.String(definition, "format") == "entity" || jsonv.String(definition, "items", "format") == "entity" {
			value += ` | if type == "array" then map(.identifier) else .identifier end`
		}
		key := fmt.Sprintf("{{ if (.inputs | has(%s)) then %s else null end }}", name, name)
		out[key] = "{{ " + value + " }}"
	}
	return out
}

// Message is the template of the standard run message (§1.7): what backends of
// actions in the older format have always received. A current action that
// configures no message sends it too (§3.6). Prefix is the blueprint that the
// identifier of the action is kept with, which backends are not told.
func Message(method, properties jsonv.Object, prefix string) jsonv.Object {
	action := "{{ .action.identifier }}"
	if prefix != "" {
		action = fmt.Sprintf(`{{ .action.identifier[(%s|length):] }}`, jsonv.Encode(prefix+"_"))
	}
	return jsonv.Object{
		"action": action, "resourceType": "run", "status": "TRIGGERED",
		"trigger": "{{ .trigger | {by, origin, at} }}",
		"context": jsonv.Object{"entity": "{{ .entity.identifier }}", "blueprint": "{{ .action.blueprint }}", "runId": "{{ .run.id }}"},
		"payload": jsonv.Object{
			"entity":             "{{ (if .entity == {} then null else .entity end) }}",
			"action":             jsonv.Object{"invocationMethod": method, "trigger": "{{ .trigger.operation }}"},
			"properties":         Inputs(properties),
			"censoredProperties": "{{ .action.encryptedProperties }}",
		},
	}
}

// Older is how a stored document of a self-service action reads in the older format
// (§1.8).
func Older(doc jsonv.Object) jsonv.Object {
	blueprint := jsonv.String(doc, "trigger", "blueprintIdentifier")
	out := jsonv.Object{
		"identifier": Short(blueprint, jsonv.String(doc, "identifier")), "trigger": jsonv.String(doc, "trigger", "operation"),
		"userInputs":       olderInputs(jsonv.Map(doc, "trigger", "userInputs")),
		"invocationMethod": olderMethod(doc, blueprint),
	}
	if blueprint != "" {
		out["blueprint"] = blueprint
	}
	for _, key := range []string{"id", "title", "icon", "description", "requiredApproval", "approvalNotification", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
		if v, ok := doc[key]; ok {
			out[key] = v
		}
	}
	return out
}

// Short is the identifier without its blueprint.
func Short(blueprint, id string) string {
	if blueprint == "" {
		return id
	}
	return strings.TrimPrefix(id, blueprint+"_")
}

func olderInputs(in jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for _, key := range []string{"properties", "required"} {
		if v, ok := in[key]; ok {
			out[key] = v
		}
	}
	shown, ordered := in["order"].([]any)
	if steps, ok := in["steps"].([]any); ok {
		ordered = true
		for _, s := range steps {
			shown = append(shown, jsonv.List(s, "order")...)
		}
	}
	if !ordered {
		return out
	}
	order := []any{}
	titles := jsonv.Map(in, "titles")
	for _, id := range shown {
		if name, _ := id.(string); titles[name] == nil {
			order = append(order, id)
		}
	}
	out["order"] = order
	return out
}

// carried is where the methods of the current format carry the standard message.
var carried = map[string][]string{
	"WEBHOOK": {"body"}, "KAFKA": {"payload"}, "AZURE_DEVOPS": {"payload"},
	"GITHUB": {"workflowInputs", PortPayload}, "GITLAB": {"pipelineVariables", PortPayload},
}

func olderMethod(doc jsonv.Object, blueprint string) jsonv.Object {
	current := jsonv.Map(doc, "invocationMethod")
	kind := jsonv.String(current, "type")
	properties := jsonv.Map(doc, "trigger", "userInputs", "properties")
	message := jsonv.Map(current, carried[kind]...)
	if said := jsonv.Map(message, "payload", "action", "invocationMethod"); said != nil &&
		(jsonv.Equal(message, Message(said, properties, blueprint)) || jsonv.Equal(message, Message(said, properties, ""))) {
		return said
	}
	old := older(kind)
	if old == "" {
		return current // has no older form
	}
	out := jsonv.Object{}
	for key := range methods[old].takes {
		if v, ok := current[key]; ok {
			out[key] = v
		}
	}
	out["type"] = old
	switch kind {
	case "GITLAB":
		out["agent"] = true
		omissions(out, properties, jsonv.Map(current, "pipelineVariables"))
	case "GITHUB":
		omissions(out, properties, jsonv.Map(current, "workflowInputs"))
	}
	return out
}

// omissions says what a pipeline does not receive of what there is.
func omissions(out, properties, variables jsonv.Object) {
	_, hasPayload := variables[PortPayload]
	if !hasPayload {
		out["omitPayload"] = true
	}
	if none := len(variables) == 0 || hasPayload && len(variables) == 1; none && len(properties) > 0 {
		out["omitUserInputs"] = true
	}
}

// older is the name of a method in the older format, "" when it has none.
func older(kind string) string {
	for old, m := range methods {
		if m.name == kind {
			return old
		}
	}
	return ""
}
