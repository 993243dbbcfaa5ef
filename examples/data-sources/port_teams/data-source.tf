resource "port_user" "ann" {
  email = "ann@example.com"
}

resource "port_team" "all" {
  for_each = toset(["Design", "Research"])

  name  = each.key
  users = [port_user.ann.email]
}

# The teams that Ann is in, by identifier.
data "port_teams" "anns" {
  user = port_user.ann.email

  depends_on = [port_team.all]
}

output "anns_teams" {
  value = data.port_teams.anns.identifiers
}
