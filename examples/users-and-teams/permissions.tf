# Everybody sees every service. The team that owns one changes it, and anybody may
# put themselves on call. Nobody but moderators and administrators adds or removes.
resource "port_blueprint_permissions" "service" {
  blueprint_identifier = port_blueprint.service.identifier
  entities = {
    read       = { roles = ["Member"] }
    register   = { roles = ["service-moderator"] }
    unregister = { roles = ["service-moderator"] }
    update     = { roles = ["service-moderator"], owned_by_team = true }
    update_metadata_properties = {
      icon       = { owned_by_team = true }
      title      = { owned_by_team = true }
      team       = {}
      identifier = {}
    }
    update_properties = {
      on_call = { roles = ["Member"] }
    }
    update_relations = {
      domain = {}
    }
  }
}

# Deployments are seen by the team that owns the service, which the policy says in
# terms of the caller, and written by the pipeline alone: people do not deploy by
# hand. A policy also looks at the entity: the pipeline makes and changes deployments
# on test, and production is for others.
resource "port_blueprint_permissions" "deployment" {
  blueprint_identifier = port_blueprint.deployment.identifier
  entities = {
    read = {
      roles = ["deployment-moderator"]
      policy = jsonencode({
        combinator = "and"
        rules = [{
          property = "$team"
          operator = "containsAny"
          value    = { context = "userTeams", property = "$identifier" }
        }]
      })
    }
    register = {
      users = [port_service_account.pipeline.email]
    }
    unregister = {
      roles = ["deployment-moderator"]
    }
    update = {
      policy = jsonencode({
        combinator = "and"
        rules = [
          { property = { context = "user", property = "$identifier" }, operator = "=", value = port_service_account.pipeline.email },
          { property = "stage", operator = "=", value = "test" },
        ]
      })
    }
    update_metadata_properties = {
      icon       = {}
      title      = {}
      team       = {}
      identifier = {}
    }
  }
}
