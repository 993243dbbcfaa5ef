import {
  to = port_blueprint_relation.service_environment
  identity = {
    blueprint_identifier = "service"
    identifier           = "environment"
  }
}
