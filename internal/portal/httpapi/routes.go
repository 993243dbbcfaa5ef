package httpapi

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

// table is every route of the API: those below, the older ones of actions, those of
// the identity provider, and the ones of unbuilt.go.
func table() []route {
	routes := []route{
		{method: get, pattern: "/health", open: true, probe: true, handler: (*Call).health},
		{method: post, pattern: "/v1/auth/access_token", open: true, body: true, handler: (*Call).exchange},

		{method: get, pattern: "/v1/auth/permissions", tx: reads, handler: (*Call).permissions},
		{method: post, pattern: "/v1/rotate-credentials/{user}", scope: access.UpdateUsers, own: true, tx: writes, handler: (*Call).rotateCredentials},

		{method: get, pattern: "/v1/users", scope: access.ReadUsers, tx: reads, handler: (*Call).listUsers},
		{method: post, pattern: "/v1/users/invite", scope: access.CreateUsers, tx: writes, body: true, handler: (*Call).inviteUser},
		{method: get, pattern: "/v1/users/{user}", scope: access.ReadUsers, tx: reads, handler: (*Call).readUser},
		{method: patch, pattern: "/v1/users/{user}", scope: access.UpdateUsers, tx: writes, mayBody: true, handler: (*Call).patchUser},
		{method: remove, pattern: "/v1/users/{user}", scope: access.DeleteUsers, tx: writes, handler: (*Call).deleteUser},

		{method: get, pattern: "/v1/organization", tx: reads, handler: (*Call).readOrganization},
		{method: put, pattern: "/v1/organization", scope: access.UpdateOrganization, tx: writes, body: true, handler: (*Call).putOrganization},
		{method: patch, pattern: "/v1/organization", scope: access.UpdateOrganization, tx: writes, body: true, handler: (*Call).patchOrganization},
		{method: get, pattern: "/v1/organization/secrets", scope: access.ReadSecrets, tx: reads, handler: (*Call).listSecrets},
		{method: post, pattern: "/v1/organization/secrets", scope: access.CreateSecrets, tx: writes, body: true, handler: (*Call).createSecret},
		{method: get, pattern: "/v1/organization/secrets/{secret}", scope: access.ReadSecrets, tx: reads, handler: (*Call).readSecret},
		{method: patch, pattern: "/v1/organization/secrets/{secret}", scope: access.UpdateSecrets, tx: writes, body: true, handler: (*Call).patchSecret},
		{method: remove, pattern: "/v1/organization/secrets/{secret}", scope: access.DeleteSecrets, tx: writes, handler: (*Call).deleteSecret},
		{method: get, pattern: "/v1/apps", scope: access.ReadApps, tx: reads, handler: (*Call).listApps},
		{method: post, pattern: "/v1/apps", scope: access.UpdateApps, tx: writes, body: true, handler: (*Call).createApp},
		{method: put, pattern: "/v1/apps/{app}", scope: access.UpdateApps, tx: writes, body: true, handler: (*Call).renameApp},
		{method: remove, pattern: "/v1/apps/{app}", scope: access.UpdateApps, tx: writes, handler: (*Call).deleteApp},
		{method: post, pattern: "/v1/apps/{app}/rotate-secret", scope: access.UpdateApps, tx: writes, handler: (*Call).rotateApp},
		// What one client once gave its credentials (reference/identity.md §1.8).
		{method: post, pattern: "/v1/apps/{app}/permissions", scope: access.UpdateApps, handler: (*Call).done},

		{method: get, pattern: "/v1/teams", scope: access.ReadTeams, tx: reads, handler: (*Call).listTeams},
		{method: post, pattern: "/v1/teams", scope: access.CreateTeams, tx: writes, body: true, handler: (*Call).createTeam},
		{method: get, pattern: "/v1/teams/{team}", scope: access.ReadTeams, tx: reads, handler: (*Call).readTeam},
		{method: put, pattern: "/v1/teams/{team}", scope: access.UpdateTeams, tx: writes, body: true, handler: (*Call).putTeam},
		{method: patch, pattern: "/v1/teams/{team}", scope: access.UpdateTeams, tx: writes, mayBody: true, handler: (*Call).patchTeam},
		{method: remove, pattern: "/v1/teams/{team}", scope: access.DeleteTeams, tx: writes, handler: (*Call).deleteTeam},

		{method: get, pattern: "/v1/blueprints", scope: access.ReadBlueprints, tx: reads, handler: (*Call).listBlueprints},
		{method: post, pattern: "/v1/blueprints", scope: access.CreateBlueprints, tx: writes, body: true, handler: (*Call).createBlueprint},
		{method: get, pattern: "/v1/blueprints/{blueprint}", scope: access.ReadBlueprints, tx: reads, handler: (*Call).readBlueprint},
		{method: put, pattern: "/v1/blueprints/{blueprint}", tx: writes, body: true, handler: (*Call).putBlueprint},
		{method: patch, pattern: "/v1/blueprints/{blueprint}", tx: writes, body: true, handler: (*Call).patchBlueprint},
		{method: remove, pattern: "/v1/blueprints/{blueprint}", tx: writes, handler: (*Call).deleteBlueprint},
		{method: get, pattern: "/v1/blueprints/{blueprint}/permissions", scope: access.ReadBlueprints, tx: reads, handler: (*Call).readBlueprintPermissions},
		{method: patch, pattern: "/v1/blueprints/{blueprint}/permissions", tx: writes, body: true, handler: (*Call).patchBlueprintPermissions},
		{method: post, pattern: "/v1/blueprints/{blueprint}/permissions/simulate", tx: reads, body: true, handler: (*Call).simulatePermissions},
		{method: get, pattern: "/v1/blueprints/{blueprint}/entities-count", scope: access.ReadEntities, tx: reads, handler: (*Call).countEntities},
		{method: remove, pattern: "/v1/blueprints/{blueprint}/all-entities", tx: writes, handler: (*Call).deleteAllEntities},
		{method: patch, pattern: "/v1/blueprints/{blueprint}/properties/{property}/rename", tx: writes, body: true, handler: (*Call).renameProperty},
		{method: patch, pattern: "/v1/blueprints/{blueprint}/mirror/{property}/rename", tx: writes, body: true, handler: (*Call).renameMirror},
		{method: patch, pattern: "/v1/blueprints/{blueprint}/relations/{relation}/rename", tx: writes, body: true, handler: (*Call).renameRelation},
		{method: get, pattern: "/v1/blueprints/system/{blueprint}/structure", scope: access.ReadBlueprints, tx: reads, handler: (*Call).systemStructure},
		// The triggers of a migration that every organization is past
		// (reference/identity.md §0.2).
		{method: post, pattern: "/v1/blueprints/system/user-and-team", handler: (*Call).done},
		{method: post, pattern: "/v1/blueprints/system/users-and-teams-as-blueprints", handler: (*Call).done},

		// Calculations are evaluated on every read; there is nothing to register
		// (reference/catalog.md §2.8 K10).
		{method: post, pattern: "/v1/blueprints/persistent-calculation-properties/register", handler: (*Call).done},

		{method: post, pattern: "/v1/blueprints/{blueprint}/entities", tx: writes, body: true, handler: (*Call).createEntity},
		{method: get, pattern: "/v1/blueprints/{blueprint}/entities", scope: access.ReadEntities, tx: reads, handler: (*Call).listEntities},
		{method: get, pattern: "/v1/blueprints/{blueprint}/entities/{entity}", scope: access.ReadEntities, tx: reads, handler: (*Call).readEntity},
		{method: put, pattern: "/v1/blueprints/{blueprint}/entities/{entity}", tx: writes, body: true, handler: (*Call).putEntity},
		{method: patch, pattern: "/v1/blueprints/{blueprint}/entities/{entity}", tx: writes, body: true, handler: (*Call).patchEntity},
		{method: remove, pattern: "/v1/blueprints/{blueprint}/entities/{entity}", tx: writes, handler: (*Call).deleteEntity},
		{method: post, pattern: "/v1/blueprints/{blueprint}/entities/bulk", tx: writes, body: true, handler: (*Call).bulkUpsert},
		{method: post, pattern: "/v1/blueprints/{blueprint}/bulk/entities/delete", tx: writes, body: true, handler: (*Call).bulkDelete},
		{method: post, pattern: "/v1/entities/search", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).search},
		{method: post, pattern: "/v1/blueprints/{blueprint}/entities/search", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).searchBlueprint},
		{method: post, pattern: "/v1/blueprints/{blueprint}/entities/search/count", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).countSearch},
		{method: post, pattern: "/v1/blueprints/{blueprint}/entities/top-search", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).topSearch},
		{method: post, pattern: "/v1/blueprints/entities/datasource-entities", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).datasourceEntities},
		{method: post, pattern: "/v1/entities/aggregate", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).aggregate},
		{method: get, pattern: "/v1/search", scope: access.ReadEntities, tx: reads, handler: (*Call).searchGlobally},

		{method: post, pattern: "/v1/entities/aggregate-over-time", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).aggregateOverTime},
		{method: post, pattern: "/v1/entities/properties-history", scope: access.ReadEntities, tx: reads, body: true, handler: (*Call).propertiesHistory},
		{method: get, pattern: "/v1/audit-log", scope: access.ReadAuditLog, tx: reads, handler: (*Call).auditLog},

		{method: get, pattern: "/v1/actions", scope: access.ReadActions, tx: reads, handler: (*Call).listActions},
		{method: post, pattern: "/v1/actions", scope: access.CreateActions, tx: writes, body: true, handler: (*Call).createAction},
		{method: get, pattern: "/v1/actions/{action}", scope: access.ReadActions, tx: reads, handler: (*Call).readAction},
		{method: put, pattern: "/v1/actions/{action}", scope: access.UpdateActions, tx: writes, body: true, handler: (*Call).putAction},
		{method: remove, pattern: "/v1/actions/{action}", scope: access.DeleteActions, tx: writes, handler: (*Call).deleteAction},
		{method: get, pattern: "/v1/actions/{action}/permissions", scope: access.ReadActions, tx: reads, handler: (*Call).actionPermissions},
		{method: patch, pattern: "/v1/actions/{action}/permissions", tx: writes, body: true, handler: (*Call).patchActionPermissions},

		{method: get, pattern: "/v1/actions/runs", tx: reads, scope: access.ReadRuns, handler: (*Call).listRuns},
		{method: patch, pattern: "/v1/actions/runs/ack", tx: writes, body: true, handler: (*Call).ackRuns},
		{method: get, pattern: "/v1/kafka-credentials", handler: (*Call).kafkaCredentials},
		{method: post, pattern: "/v1/actions/runs/claim-pending", tx: writes, body: true, handler: (*Call).claimRuns},
		{method: get, pattern: "/v1/actions/runs/{run}", tx: reads, scope: access.ReadRuns, handler: (*Call).readRun},
		{method: patch, pattern: "/v1/actions/runs/{run}", tx: writes, body: true, handler: (*Call).patchRun},
		{method: patch, pattern: "/v1/actions/runs/{run}/approval", tx: writes, body: true, programs: true, handler: (*Call).approveRun},
		{method: get, pattern: "/v1/actions/runs/{run}/approvers", tx: reads, scope: access.ReadRuns, handler: (*Call).listApprovers},
		{method: get, pattern: "/v1/actions/runs/{run}/logs", tx: reads, scope: access.ReadRuns, handler: (*Call).listRunLogs},
		{method: post, pattern: "/v1/actions/runs/{run}/logs", tx: writes, body: true, handler: (*Call).createRunLog},
		{method: patch, pattern: "/v1/actions/runs/{run}/response", tx: writes, body: true, handler: (*Call).answerRun},
		{method: post, pattern: "/v1/actions/{action}/runs", tx: writes, body: true, programs: true, handler: (*Call).executeAction},
		{method: get, pattern: "/v1/workflows/nodes/runs", tx: reads, scope: access.ReadRuns, handler: (*Call).listNodeRuns},
		{method: post, pattern: "/v1/workflows/runs/claim-pending", tx: reads, body: true, handler: (*Call).claimNodeRuns},

		{method: get, pattern: "/v1/migrations", tx: reads, handler: (*Call).listMigrations},
		{method: post, pattern: "/v1/migrations", tx: writes, body: true, handler: (*Call).createMigration},
		{method: get, pattern: "/v1/migrations/{migration}", tx: reads, handler: (*Call).readMigration},
		{method: post, pattern: "/v1/migrations/{migration}/cancel", tx: writes, mayBody: true, handler: (*Call).cancelMigration},
	}
	routes = append(routes, olderActions()...)
	routes = append(routes, provisioning()...)
	for _, r := range unbuilt {
		routes = append(routes, route{method: r.method, pattern: r.pattern, scope: r.scope})
	}
	return routes
}
