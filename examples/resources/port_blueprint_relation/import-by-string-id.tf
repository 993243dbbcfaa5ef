import {
  to = port_blueprint_relation.service_environment
  id = "service:environment"
}
