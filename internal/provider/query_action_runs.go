package provider

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// mostRuns is the greatest limit of one answer.
const mostRuns = 1000

// actionRunsQuery is the data source port_action_runs, reference/actions.md §4.3.
func actionRunsQuery() *Query {
	return &Query{
		Name: "action_runs",
		Doc: "Runs of self-service actions and automations, all that may be seen or those that match every condition given. " +
			"Log lines, changed entities and votes of a run are in `port_action_run`.",
		Args: []lens.Part{
			lens.Field("action", lens.String, lens.Opt, "Identifier of the action.").Check(notEmpty()),
			lens.Field("blueprint", lens.String, lens.Opt, "Identifier of the action's blueprint.").Check(notEmpty()),
			lens.Field("entity", lens.String, lens.Opt, "Identifier of the entity that the action ran on.").Check(notEmpty()),
			lens.Field("active", lens.Bool, lens.Opt, "`true` for runs that have not ended; `false` is no condition."),
			lens.Field("user_email", lens.String, lens.Opt, "E-mail address of the user that the run was made for.").Check(notEmpty()),
			lens.Field("user_id", lens.String, lens.Opt, "ID of the user or credentials that the run was made for.").Check(notEmpty()),
			lens.Field("sources", lens.Set(lens.Enum("UI", "API", "AUTOMATION")), lens.Opt, "Where the run came from; any of them will do."),
			lens.Field("external_run_id", lens.String, lens.Opt, "ID of the run in the system that does the work.").Check(notEmpty()),
			lens.Field("limit", lens.Int, lens.Opt, "Greatest number of runs to find.").Check(lens.AtLeast(1)),
		},
		Results: []lens.Part{lens.ReadOnly("run_ids", lens.List(lens.String), "IDs of the runs found, in the same order.").EmptyShows()},
		List:    "runs", ListDoc: "Runs found, the newest first.",
		Element: append([]lens.Part{lens.ID("ID of the run.", "id")}, runParts()...),
		Run:     runActionRuns,
	}
}

func runActionRuns(ctx context.Context, q *question) (*findings, error) {
	ask := url.Values{}
	for argument, parameter := range map[string]string{
		"action": "action", "blueprint": "blueprint", "entity": "entity", "userEmail": "user_email", "userId": "user_id", "externalRunId": "external_run_id",
	} {
		if value := jsonv.String(q.body, argument); value != "" {
			ask.Set(parameter, value)
		}
	}
	if active, ok := q.body["active"].(bool); ok && active {
		ask.Set("active", "true")
	}
	for _, source := range jsonv.Strings(jsonv.List(q.body, "sources")) {
		ask.Add("source[]", source)
	}
	limit := -1
	if n, ok := q.body["limit"].(json.Number); ok {
		given, err := strconv.Atoi(n.String())
		if err != nil {
			given = math.MaxInt // more than there are
		}
		limit = given
	}
	runs, err := q.allRuns(ctx, ask, limit)
	if err != nil {
		return nil, err
	}
	found, ids := &findings{}, []any{}
	for _, r := range runs {
		run, ok := r.(jsonv.Object)
		if !ok {
			continue
		}
		found.elements = append(found.elements, run)
		ids = append(ids, jsonv.String(run, "id"))
	}
	found.document = jsonv.Object{"runIds": ids}
	return found, nil
}

// allRuns turns pages until there are no more, or enough.
func (q *question) allRuns(ctx context.Context, ask url.Values, limit int) ([]any, error) {
	var out []any
	for {
		size := mostRuns
		if limit >= 0 {
			size = min(size, limit-len(out))
		}
		ask.Set("limit", strconv.Itoa(size))
		answer, err := q.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"actions", "runs"}, Query: ask})
		if err != nil {
			return nil, err
		}
		page := jsonv.List(answer, "runs")
		out = append(out, page...)
		next := jsonv.String(answer, "next")
		if next == "" || len(page) == 0 || limit >= 0 && len(out) >= limit {
			return out, nil
		}
		ask.Set("next", next)
	}
}
