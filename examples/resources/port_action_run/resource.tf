resource "port_blueprint" "service" {
  identifier            = "service"
  title                 = "Service"
  force_delete_entities = true # what runs make is not in this configuration
  properties = {
    string_props = {
      tier = { title = "Tier", enum = ["1", "2", "3"] }
    }
  }
}

# What the form asks is written into the catalog, which ends a run at once. A run
# that calls a webhook or starts a pipeline lasts until that reports its end.
resource "port_action" "register" {
  identifier = "register_service"
  title      = "Register a service"

  self_service_trigger = {
    operation            = "CREATE"
    blueprint_identifier = port_blueprint.service.identifier
    user_properties = {
      string_props = {
        name = { title = "Name", required = true, pattern = "^[a-z-]+$" }
        tier = { title = "Tier", enum = ["1", "2", "3"], default = "3" }
      }
    }
  }

  upsert_entity_method = {
    blueprint_identifier = port_blueprint.service.identifier
    title                = "{{ .inputs.name }}"
    mapping = {
      identifier = "{{ .inputs.name }}"
      properties = jsonencode({ tier = "{{ .inputs.tier }}" })
    }
  }
}

# Runs the action once, and again whenever the inputs or a trigger change. The apply
# waits until the run has succeeded.
resource "port_action_run" "orders" {
  action     = port_action.register.identifier
  properties = jsonencode({ name = "orders", tier = "1" })
  timeout    = "5m"

  triggers = {
    release = "2024-06-01"
  }
}

output "registered" {
  value = port_action_run.orders.entities
}
