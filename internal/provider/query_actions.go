package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// mostNamed is how many identifiers a request names at most: more would make its
// address longer than servers take, and all actions are read instead.
const mostNamed = 100

// actionFilters are the arguments that name several values, and the parameters
// they are (reference/actions.md §1.4).
var actionFilters = map[string]string{
	"identifiers": "action_identifier", "blueprints": "blueprint_identifier", "operations": "operation",
	"trigger_events": "trigger_event", "event_actions": "trigger_event_action_identifier",
}

// triggerEvents are the events that automations listen to (reference/actions.md
// §1.3).
var triggerEvents = []string{
	"ENTITY_CREATED", "ENTITY_UPDATED", "ENTITY_DELETED", "ANY_ENTITY_CHANGE", "TIMER_PROPERTY_EXPIRED", "RUN_CREATED", "RUN_UPDATED", "ANY_RUN_CHANGE",
}

// actionsQuery is the data source port_actions.
func actionsQuery() *Query {
	return &Query{
		Name: "actions",
		Doc: "Self-service actions and automations of the account, all of them or those that match every condition given. Port does the filtering. " +
			"Automations are shown to credentials of the organization and to administrators alone.",
		Args: []lens.Part{
			lens.Field("identifiers", lens.Set(lens.String), lens.Opt, "Identifiers of actions; those that do not exist are left out."),
			lens.Field("blueprints", lens.Set(lens.String), lens.Opt, "Identifiers of blueprints, of which an action belongs to one or an automation listens to one."),
			lens.Field("operations", lens.Set(lens.Enum("CREATE", "DAY-2", "DELETE")), lens.Opt, "Operations, of which an action is one."),
			lens.Field("published", lens.Bool, lens.Opt, "Whether an automation runs. It leaves out self-service actions, which are not asked."),
			lens.Field("trigger_type", lens.Enum("self-service", "automation"), lens.Opt, "What starts the action."),
			lens.Field("trigger_events", lens.Set(lens.Enum(triggerEvents...)), lens.Opt, "Events, of which an automation listens to one."),
			lens.Field("event_actions", lens.Set(lens.String), lens.Opt, "Identifiers of actions, to the runs of one of which an automation listens."),
		},
		List: "actions", ListDoc: "Actions found, the oldest first.",
		Element: append([]lens.Part{lens.ID("ID of the action, the same as its identifier.", "identifier")}, actionSummary()...),
		Run:     runActions,
	}
}

// actionSummary is what a list shows of an action: the plain attributes of the
// resource, what says where and how the action runs, and all the rest as a
// document.
func actionSummary() []lens.Part {
	var out []lens.Part
	for _, p := range actionDeclaration().Parts {
		if a := p.Attrs(); len(a) == 1 && len(a[0].Nested) == 0 && !a[0].Unshown {
			out = append(out, p)
		}
	}
	return append(out,
		lens.Derived("blueprint", "Identifier of the blueprint that the action belongs to or the automation listens to; null for none.", func(b lens.Body) (string, bool) {
			for _, path := range [][]string{{"trigger", "blueprintIdentifier"}, {"trigger", "event", "blueprintIdentifier"}} {
				if s := jsonv.String(b, path...); s != "" {
					return s, true
				}
			}
			return "", false
		}),
		lens.ReadOnly("trigger_type", lens.String, "What starts the action: `self-service` or `automation`.").At("trigger.type"),
		lens.ReadOnly("operation", lens.String, "What a self-service action does: `CREATE`, `DAY-2` or `DELETE`.").At("trigger.operation"),
		lens.ReadOnly("trigger_event", lens.String, "Event that an automation listens to, such as `ENTITY_CREATED`.").At("trigger.event.type"),
		lens.ReadOnly("event_action", lens.String, "Identifier of the action to whose runs an automation listens.").At("trigger.event.actionIdentifier"),
		lens.ReadOnly("method_type", lens.String, "How the action runs, such as `WEBHOOK` or `UPSERT_ENTITY`.").At("invocationMethod.type"),
		lens.ReadOnly("document", lens.JSONObject, "The whole action as Port has it."),
		lens.Audit(),
	)
}

func runActions(ctx context.Context, q *question) (*findings, error) {
	ask, ok := q.actionFilter()
	if !ok {
		return &findings{}, nil
	}
	answer, err := q.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"actions"}, Query: ask})
	if err != nil {
		return nil, err
	}
	wanted, found := jsonv.Strings(jsonv.List(q.body, "identifiers")), &findings{}
	for _, a := range jsonv.List(answer, "actions") {
		action, ok := a.(jsonv.Object)
		if !ok {
			return nil, fmt.Errorf("want a list of actions, got %s in it", jsonv.KindOf(a))
		}
		if len(wanted) > 0 && !slices.Contains(wanted, jsonv.String(action, "identifier")) {
			continue
		}
		shown := jsonv.CloneObject(action)
		shown["document"] = action
		found.elements = append(found.elements, shown)
	}
	return found, nil
}

// actionFilter is the arguments as the parameters they are; false when nothing can
// match, because one of the arguments names no value at all.
func (q *question) actionFilter() (url.Values, bool) {
	ask := url.Values{}
	for argument, parameter := range actionFilters {
		if lens.Nothing(q.args[argument]) {
			continue
		}
		values := jsonv.Strings(jsonv.List(q.body, lens.Camel(argument)))
		if len(values) == 0 {
			return nil, false
		}
		if argument != "identifiers" || len(values) <= mostNamed {
			ask[parameter] = values
		}
	}
	if published, said := q.body["published"].(bool); said {
		ask.Set("published", strconv.FormatBool(published))
	}
	if trigger := jsonv.String(q.body, "triggerType"); trigger != "" {
		ask.Set("trigger_type", trigger)
	}
	return ask, true
}
