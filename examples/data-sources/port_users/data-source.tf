resource "port_team" "support" {
  name = "Support"
}

resource "port_user" "support" {
  for_each = toset(["ann", "bob"])

  email = "${each.key}@example.com"
  teams = [port_team.support.identifier]
}

# Everybody in the team, service accounts left out.
data "port_users" "support" {
  teams = [port_team.support.identifier]
  type  = "Standard"

  depends_on = [port_user.support]
}

output "support_emails" {
  value = data.port_users.support.identifiers
}
