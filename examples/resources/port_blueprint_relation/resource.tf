# Blueprints that relate to each other are made in one apply.
resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
}

resource "port_blueprint" "environment" {
  identifier = "environment"
  title      = "Environment"
}

resource "port_blueprint_relation" "service_environment" {
  blueprint_identifier = port_blueprint.service.identifier
  identifier           = "environment"
  title                = "Environment"
  target               = port_blueprint.environment.identifier
}

resource "port_blueprint_relation" "environment_services" {
  blueprint_identifier = port_blueprint.environment.identifier
  identifier           = "services"
  title                = "Services"
  target               = port_blueprint.service.identifier
  many                 = true
}
