output "actions" {
  description = "Identifiers of the actions that people run."
  value       = [port_action.scaffold.identifier, port_action.replicas.identifier, port_action.retire.identifier]
}
