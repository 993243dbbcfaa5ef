resource "port_action" "scale" {
  identifier        = "scale_service"
  title             = "Scale"
  required_approval = "ANY"

  self_service_trigger = {
    operation = "CREATE"
    user_properties = {
      number_props = {
        replicas = { title = "Replicas", required = true, maximum = 20 }
      }
    }
  }

  webhook_method = { url = "https://ops.example.com/scale" }
}

data "port_action" "scale" {
  identifier = port_action.scale.identifier
}

output "most_replicas" {
  value = data.port_action.scale.self_service_trigger.user_properties.number_props["replicas"].maximum
}
