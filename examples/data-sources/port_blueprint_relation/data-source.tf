resource "port_blueprint" "environment" {
  identifier = "environment"
  title      = "Environment"
}

resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
  relations = {
    environment = { title = "Environment", target = port_blueprint.environment.identifier }
  }
}

data "port_blueprint_relation" "environment" {
  blueprint_identifier = port_blueprint.service.identifier
  identifier           = "environment"
}

output "target" {
  value = data.port_blueprint_relation.environment.target
}
