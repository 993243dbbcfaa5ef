# Retire a service. Three guardrails: the first tier is not offered (condition), only
# its team may, and only when nothing depends on it (policy), and its name has to be
# typed (pattern). The backend's answer ends the run, for the call is synchronized.
resource "port_action" "retire" {
  identifier  = "retire_service"
  title       = "Retire"
  icon        = "Alert"
  description = "Deletes the service, its deployments and its repository."

  self_service_trigger = {
    operation                  = "DELETE"
    blueprint_identifier       = port_blueprint.service.identifier
    execute_action_button_text = "Retire it"
    condition = jsonencode({
      type       = "SEARCH"
      combinator = "and"
      rules      = [{ property = "tier", operator = "!=", value = "1" }]
    })
    user_properties = {
      string_props = {
        # A pattern in jq may give the values that are allowed.
        confirm = { title = "Name of the service", description = "Type it to confirm.", required = true, pattern_jq_query = "[.entity.identifier]" }
      }
    }
  }

  webhook_method = {
    url          = "${var.backend_url}/services/{{ .entity.identifier }}"
    method       = "DELETE"
    synchronized = "true"
    body         = jsonencode({ run = "{{ .run.id }}" })
  }
}

resource "port_action_permissions" "retire" {
  action_identifier = port_action.retire.identifier
  permissions = {
    execute = {
      roles = ["Member"]
      policy = jsonencode({
        queries = {
          dependents = {
            combinator = "and"
            rules = [
              { property = "$blueprint", operator = "=", value = port_blueprint.service.identifier },
              { operator = "relatedTo", blueprint = port_blueprint.service.identifier, value = "{{ .entity.identifier }}", direction = "downstream" },
            ]
          }
        }
        conditions = ["(.entity.team - .user.teamsIdentifiers) != .entity.team and (.results.dependents.entities | length == 0)"]
      })
    }
    approve = {}
  }
}
