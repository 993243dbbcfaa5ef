resource "port_action" "scale" {
  identifier           = "scale_service"
  title                = "Scale"
  required_approval    = "ANY"
  self_service_trigger = { operation = "CREATE" }
  webhook_method       = { url = "https://ops.example.com/scale" }
}

data "port_action_permissions" "scale" {
  action_identifier = port_action.scale.identifier
}

output "who_scales" {
  value = data.port_action_permissions.scale.permissions.execute.roles
}

output "who_approves" {
  value = data.port_action_permissions.scale.permissions.approve
}
