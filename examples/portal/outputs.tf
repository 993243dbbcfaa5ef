output "blueprints" {
  description = "Identifiers of the blueprints that were made."
  value = sort([
    port_blueprint.cluster.identifier, port_blueprint.deployment.identifier, port_blueprint.domain.identifier,
    port_blueprint.environment.identifier, port_blueprint.incident.identifier, port_blueprint.package.identifier,
    port_blueprint.service.identifier,
  ])
}

output "entities" {
  description = "How many entities there are of each blueprint."
  value = {
    cluster     = length(port_entity.cluster)
    deployment  = length(port_entity.deployment)
    domain      = length(port_entity.domain)
    environment = length(port_entity.environment)
    incident    = 1
    package     = length(port_entity.package)
    service     = length(port_entity.service)
  }
}
