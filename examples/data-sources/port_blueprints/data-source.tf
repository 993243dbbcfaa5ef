data "port_blueprints" "own" {
  exclude_system = true
}

output "own_blueprints" {
  value = { for b in data.port_blueprints.own.blueprints : b.identifier => b.title }
}
