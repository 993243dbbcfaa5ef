resource "port_blueprint" "service" {
  identifier            = "service"
  title                 = "Service"
  force_delete_entities = true
}

resource "port_action" "register" {
  identifier = "register_service"
  title      = "Register a service"

  self_service_trigger = {
    operation            = "CREATE"
    blueprint_identifier = port_blueprint.service.identifier
    user_properties = {
      string_props = {
        name = { title = "Name", required = true }
      }
    }
  }

  upsert_entity_method = {
    blueprint_identifier = port_blueprint.service.identifier
    mapping              = { identifier = "{{ .inputs.name }}" }
  }
}

resource "port_action_run" "orders" {
  action     = port_action.register.identifier
  properties = jsonencode({ name = "orders" })
}

# The newest run of the action, whoever asked for it.
data "port_action_runs" "register" {
  action = port_action.register.identifier
  limit  = 1

  depends_on = [port_action_run.orders]
}

data "port_action_run" "register" {
  run_id = data.port_action_runs.register.run_ids[0]
}

output "log" {
  value = join("\n", data.port_action_run.register.logs[*].message)
}

output "changed" {
  value = [for e in data.port_action_run.register.entities : "${e.action} ${e.blueprint}/${e.identifier}"]
}
