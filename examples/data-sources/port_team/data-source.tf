resource "port_team" "security" {
  name        = "Security"
  description = "Keeps the keys"
}

data "port_team" "security" {
  name = port_team.security.name
}

output "security_identifier" {
  value = data.port_team.security.identifier
}
