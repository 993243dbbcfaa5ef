# Who leads their team is written with the user, where policies can ask for it.
resource "port_system_blueprint" "user" {
  identifier = "_user"
  properties = {
    boolean_props = { lead = { title = "Leads the team" } }
  }
}

resource "port_team" "payments" {
  name = "Payments"
}

resource "port_team" "platform" {
  name = "Platform"
}

resource "port_user" "ada" {
  email      = "ada@example.com"
  name       = "Ada Example"
  status     = "Active"
  teams      = [port_team.payments.identifier]
  properties = { boolean_props = { lead = true } }
  depends_on = [port_system_blueprint.user]
}

resource "port_user" "bob" {
  email  = "bob@example.com"
  name   = "Bob Example"
  status = "Active"
  teams  = [port_team.payments.identifier]
}

resource "port_user" "grace" {
  email      = "grace@example.com"
  name       = "Grace Example"
  status     = "Active"
  teams      = [port_team.platform.identifier]
  properties = { boolean_props = { lead = true } }
  depends_on = [port_system_blueprint.user]
}

resource "port_user" "linus" {
  email  = "linus@example.com"
  name   = "Linus Example"
  status = "Active"
  teams  = [port_team.platform.identifier]
}
