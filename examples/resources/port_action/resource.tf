resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
  properties = {
    string_props = {
      tier = { title = "Tier", enum = ["1", "2", "3"] }
    }
    number_props = {
      replicas = { title = "Replicas" }
    }
  }
}

# A form, offered on services, that calls your backend once somebody approved.
resource "port_action" "scale" {
  identifier        = "scale_service"
  title             = "Scale"
  icon              = "Microservice"
  description       = "Changes the number of replicas."
  required_approval = "ANY"

  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = port_blueprint.service.identifier
    user_properties = {
      number_props = {
        replicas = { title = "Replicas", required = true, default_jq_query = ".entity.properties.replicas", minimum = 1, maximum = 20 }
      }
      string_props = {
        reason = { title = "Reason", format = "multi-line", visible_jq_query = ".form.replicas > 10" }
      }
    }
    order_properties = ["replicas", "reason"]
  }

  webhook_method = {
    url     = "https://ops.example.com/scale"
    headers = { RUN_ID = "{{ .run.id }}" }
    body = jsonencode({
      service  = "{{ .entity.identifier }}"
      replicas = "{{ .inputs.replicas }}"
    })
  }
}

# An automation: services of the first tier are announced.
resource "port_action" "announce" {
  identifier = "announce_service"
  title      = "Announce services of tier 1"

  automation_trigger = {
    entity_created_event = { blueprint_identifier = port_blueprint.service.identifier }
    jq_condition         = { expressions = [".diff.after.properties.tier == \"1\""] }
  }

  webhook_method = {
    url  = "https://chat.example.com/hooks/services"
    body = jsonencode({ text = "{{ .event.diff.after.title }} is there." })
  }
}
