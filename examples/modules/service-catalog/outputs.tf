output "service_blueprint" {
  description = "Identifier of the service blueprint, for relations of other modules."
  value       = port_blueprint.service.identifier
}

output "environment_blueprint" {
  description = "Identifier of the environment blueprint."
  value       = port_blueprint.environment.identifier
}

output "service_ids" {
  description = "Id of each service entity, by identifier."
  value       = { for k, e in port_entity.service : k => e.id }
}

output "service_updated_at" {
  description = "When each service entity was last written, by identifier."
  value       = { for k, e in port_entity.service : k => e.updated_at }
}
