package httpapi

import "github.com/portlens/terraform-provider-port/internal/portal/access"

// operation is a method and a pattern of the API, and the scope it asks for.
type operation struct {
	method, pattern string
	scope           access.Scope
}

// unbuilt are the operations of Port's API that this server does not have yet:
// first the published ones, then those that only clients name
// (reference/portal.md §6.4, reference/actions.md §5 and §9). They answer 501, so
// that nobody mistakes a missing feature for a missing object
// (reference/clients.md §11 C37). Whoever builds one moves its row to [table].
var unbuilt = []operation{
	{post, "/v1/agent/{agent}/invoke", ""},
	{post, "/v1/ai/entities-auto-discovery", ""},
	{get, "/v1/ai/entities-auto-discovery/blueprint/{blueprint}/latest", ""},
	{post, "/v1/ai/entities-auto-discovery/{invocation}/review", ""},
	{get, "/v1/ai/entities-auto-discovery/{invocation}/suggestions", ""},
	{patch, "/v1/ai/entities-auto-discovery/{invocation}/suggestions/{entity}", ""},
	{post, "/v1/ai/invoke", ""},
	{get, "/v1/ai/invoke/{invocation}", ""},
	{get, "/v1/blueprints/{blueprint}/scorecards", access.ReadScorecards},
	{post, "/v1/blueprints/{blueprint}/scorecards", ""},
	{put, "/v1/blueprints/{blueprint}/scorecards", ""},
	{get, "/v1/blueprints/{blueprint}/scorecards/{scorecard}", access.ReadScorecards},
	{put, "/v1/blueprints/{blueprint}/scorecards/{scorecard}", ""},
	{remove, "/v1/blueprints/{blueprint}/scorecards/{scorecard}", ""},
	{get, "/v1/integration", access.ReadIntegrations},
	{get, "/v1/integration/metadata", ""},
	{get, "/v1/integration/{integration}", access.ReadIntegrations},
	{patch, "/v1/integration/{integration}", access.UpdateIntegrations},
	{remove, "/v1/integration/{integration}", access.DeleteIntegrations},
	{patch, "/v1/integration/{integration}/config", access.UpdateIntegrations},
	{get, "/v1/integration/{integration}/logs", access.ReadIntegrations},
	{get, "/v1/integration/{integration}/syncMetrics", access.ReadIntegrations},
	{get, "/v1/integration/{integration}/syncsMetadata", access.ReadIntegrations},
	{get, "/v1/llm-providers", ""},
	{post, "/v1/llm-providers", ""},
	{get, "/v1/llm-providers/defaults", ""},
	{put, "/v1/llm-providers/defaults", ""},
	{get, "/v1/llm-providers/{provider}", ""},
	{put, "/v1/llm-providers/{provider}", ""},
	{remove, "/v1/llm-providers/{provider}", ""},
	{get, "/v1/memory", ""},
	{remove, "/v1/memory", ""},
	{get, "/v1/memory/settings", ""},
	{put, "/v1/memory/settings", ""},
	{remove, "/v1/memory/users", ""},
	{get, "/v1/pages", ""},
	{get, "/v1/pages/{page}", ""},
	{remove, "/v1/pages/{page}", access.DeletePages},
	{get, "/v1/pages/{page}/permissions", ""},
	{patch, "/v1/pages/{page}/permissions", ""},
	{patch, "/v1/pages/{page}/widgets/{widget}", ""},
	{remove, "/v1/pages/{page}/widgets/{widget}", ""},
	{get, "/v1/quota/ai-invocations", ""},
	{get, "/v1/scorecards", access.ReadScorecards},
	{get, "/v1/webhooks", access.ReadIntegrations},
	{post, "/v1/webhooks", access.CreateIntegrations},
	{get, "/v1/webhooks/metadata", ""},
	{get, "/v1/webhooks/{webhook}", access.ReadIntegrations},
	{put, "/v1/webhooks/{webhook}", access.UpdateIntegrations},
	{patch, "/v1/webhooks/{webhook}", access.UpdateIntegrations},
	{remove, "/v1/webhooks/{webhook}", access.DeleteIntegrations},

	{post, "/v1/agent/invoke", ""},
	{get, "/v1/agent/invoke/{invocation}", ""},
	{patch, "/v1/blueprints/{blueprint}/scorecards/{scorecard}", ""},
	{post, "/v1/integration", access.CreateIntegrations},
	{get, "/v1/integration/provision-enabled", ""},
	{get, "/v1/integration/{integration}/cursor", access.ReadIntegrations},
	{post, "/v1/integration/{integration}/cursor", access.UpdateIntegrations},
	{put, "/v1/integration/{integration}/cursor", access.UpdateIntegrations},
	{get, "/v1/integration/{integration}/kinds", access.ReadIntegrations},
	{post, "/v1/integration/{integration}/kinds/{kind}/examples", access.UpdateIntegrations},
	{get, "/v1/integration/{integration}/resync-request", access.ReadIntegrations},
	{patch, "/v1/integration/{integration}/resync-state", access.UpdateIntegrations},
	{post, "/v1/pages", ""},
	{patch, "/v1/pages/{page}", ""},
	{put, "/v1/pages/{page}", ""},
	{post, "/v1/pages/{page}/widgets", ""},
	{get, "/v1/sidebars/catalog", ""},
	{post, "/v1/sidebars/catalog/folders", ""},
	{patch, "/v1/sidebars/catalog/folders/{folder}", ""},
	{put, "/v1/sidebars/catalog/folders/{folder}", ""},
	{remove, "/v1/sidebars/catalog/folders/{folder}", ""},
	{get, "/v1/skills", ""},
	{get, "/v1/workflows", ""},
	{post, "/v1/workflows", ""},
	{get, "/v1/workflows/{workflow}", ""},
	{put, "/v1/workflows/{workflow}", ""},
	{remove, "/v1/workflows/{workflow}", ""},
	{get, "/v1/workflows/runs", ""},
	{get, "/v1/workflows/runs/{run}", ""},
	{patch, "/v1/workflows/runs/ack", ""},
	{post, "/v1/workflows/{workflow}/runs", ""},
	{get, "/v1/workflows/{workflow}/nodes/{node}", ""},
	{get, "/v1/workflows/{workflow}/nodes/{node}/permissions", ""},
	{post, "/v1/workflows/{workflow}/nodes/{node}/permissions", ""},
	{patch, "/v1/workflows/{workflow}/nodes/{node}/permissions", ""},
	{remove, "/v1/workflows/{workflow}/nodes/{node}/permissions", ""},
	{patch, "/v1/workflows/nodes/runs/{run}", ""},
	{post, "/v1/workflows/nodes/runs/{run}/logs", ""},
}

// need tells whether a user may do what an operation is for; params are the path's.
type need func(u *access.User, params []string) bool

func administrators(u *access.User, _ []string) bool { return u.Admin() }

func moderators(u *access.User, _ []string) bool { return u.Admin() || u.ModeratesAny() }

func moderatorsOfIt(u *access.User, params []string) bool { return u.Manages(params[0]) }

// needs are the rights that unbuilt operations take beside their scope, as far as no
// document says otherwise (reference/identity.md §7.3 39 and 53–65): who lacks them
// is refused, whether or not the operation is there.
var needs = map[string]need{
	"POST /v1/blueprints/{blueprint}/scorecards":               moderatorsOfIt,
	"PUT /v1/blueprints/{blueprint}/scorecards":                moderatorsOfIt,
	"PUT /v1/blueprints/{blueprint}/scorecards/{scorecard}":    moderatorsOfIt,
	"PATCH /v1/blueprints/{blueprint}/scorecards/{scorecard}":  moderatorsOfIt,
	"DELETE /v1/blueprints/{blueprint}/scorecards/{scorecard}": moderatorsOfIt,
	"POST /v1/pages":                                  administrators,
	"PUT /v1/pages/{page}":                            administrators,
	"PATCH /v1/pages/{page}":                          administrators,
	"PATCH /v1/pages/{page}/permissions":              administrators,
	"POST /v1/pages/{page}/widgets":                   administrators,
	"PATCH /v1/pages/{page}/widgets/{widget}":         administrators,
	"DELETE /v1/pages/{page}/widgets/{widget}":        administrators,
	"POST /v1/sidebars/catalog/folders":               administrators,
	"PUT /v1/sidebars/catalog/folders/{folder}":       administrators,
	"PATCH /v1/sidebars/catalog/folders/{folder}":     administrators,
	"DELETE /v1/sidebars/catalog/folders/{folder}":    administrators,
	"GET /v1/integration":                             moderators,
	"GET /v1/integration/{integration}":               moderators,
	"GET /v1/integration/{integration}/logs":          moderators,
	"GET /v1/integration/{integration}/syncMetrics":   moderators,
	"GET /v1/integration/{integration}/syncsMetadata": moderators,
	"GET /v1/webhooks":                                moderators,
	"GET /v1/webhooks/{webhook}":                      moderators,
	"PUT /v1/memory/settings":                         administrators,
	"DELETE /v1/memory/users":                         administrators,
	"POST /v1/llm-providers":                          administrators,
	"PUT /v1/llm-providers/defaults":                  administrators,
	"PUT /v1/llm-providers/{provider}":                administrators,
	"DELETE /v1/llm-providers/{provider}":             administrators,
}
