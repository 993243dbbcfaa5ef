resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
  ownership  = { type = "Direct" }
  properties = {
    string_props = {
      language = { title = "Language" }
      on_call  = { title = "On call", format = "email" }
      stage    = { title = "Stage", enum = ["experimental", "live"] }
    }
  }
}

locals {
  moderators = { users = [], teams = [], roles = ["Admin", "service-moderator"] }
  everybody  = { users = [], teams = [], roles = ["Member"] }
  owners     = merge(local.moderators, { owned_by_team = true })
}

resource "port_blueprint_permissions" "service" {
  blueprint_identifier = port_blueprint.service.identifier
  entities = {
    # Members see what their teams own, and whatever is live.
    read = merge(local.moderators, {
      policy = jsonencode({
        combinator = "or"
        rules = [
          { property = "$team", operator = "containsAny", value = { context = "userTeams", property = "$identifier" } },
          { property = "stage", operator = "=", value = "live" },
        ]
      })
    })
    register   = local.owners
    unregister = local.moderators
    update     = local.owners
    update_metadata_properties = {
      icon       = local.owners
      title      = local.owners
      team       = local.moderators
      identifier = local.moderators
    }
    # Besides those that update admits.
    update_properties = {
      on_call = local.everybody
    }
  }
}
