data "port_blueprint" "team" {
  identifier = "_team"
}

output "team_properties" {
  value = keys(data.port_blueprint.team.properties.string_props)
}
