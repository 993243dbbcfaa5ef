data "port_blueprint_relation" "environment" {
  blueprint_identifier = "service"
  identifier           = "environment"
}

output "environments" {
  value = data.port_blueprint_relation.environment.target
}
