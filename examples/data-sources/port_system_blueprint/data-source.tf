data "port_system_blueprint" "team" {
  identifier = "_team"
}

# What somebody added to teams; empty in a new account.
output "added_to_teams" {
  value = keys(coalesce(data.port_system_blueprint.team.relations, {}))
}
