# Change how many replicas run, with consent.
resource "port_action" "replicas" {
  identifier        = "change_replicas"
  title             = "Change the replicas"
  icon              = "Deployment"
  required_approval = "ANY"

  # Whoever is to decide reads of it in the chat.
  approval_webhook_notification = { url = var.chat_url, format = "slack" }

  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = port_blueprint.deployment.identifier
    user_properties = {
      number_props = {
        replicas = { title = "Replicas", required = true, default_jq_query = ".entity.properties.replicas", minimum = 0, maximum = 20 }
      }
      string_props = {
        reason = { title = "Reason", format = "multi-line" }
      }
    }
    order_properties = ["replicas", "reason"]
  }

  webhook_method = {
    url    = "${var.backend_url}/deployments/{{ .entity.identifier }}"
    method = "PATCH"
    body = jsonencode({
      run      = "{{ .run.id }}"
      from     = "{{ .entity.properties.replicas }}"
      replicas = "{{ .inputs.replicas }}"
    })
  }
}

# The team that owns the deployment asks, by way of its service; a lead of that team or
# of the platform decides, but never about what they asked for themselves.
resource "port_action_permissions" "replicas" {
  action_identifier = port_action.replicas.identifier
  permissions = {
    execute = {
      owned_by_team = true
    }
    approve = {
      policy = jsonencode({
        queries = {
          leads = {
            combinator = "and"
            rules = [
              { property = "$blueprint", operator = "=", value = port_system_blueprint.user.identifier },
              { property = "lead", operator = "=", value = true },
              { property = "$team", operator = "containsAny", value = "{{ .entity.team + [\"${port_team.platform.identifier}\"] }}" },
            ]
          }
        }
        conditions = [".trigger.user.email as $asked | [.results.leads.entities[].identifier | select(. != $asked)]"]
      })
    }
  }
}
