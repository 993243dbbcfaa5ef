resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
}

data "port_blueprint_permissions" "service" {
  blueprint_identifier = port_blueprint.service.identifier
}

output "who_creates_services" {
  value = data.port_blueprint_permissions.service.entities.register.roles
}
