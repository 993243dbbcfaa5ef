# What the organization wants to know of its users, on top of what Port does.
resource "port_system_blueprint" "user" {
  identifier = "_user"

  properties = {
    string_props = { phone = { title = "Phone" } }
    array_props  = { skills = { title = "Skills", string_items = {} } }
  }

  relations = { manager = { title = "Manager", target = "_user" } }
}

resource "port_blueprint" "payment" {
  identifier = "payment"
  title      = "Payment"
}

resource "port_team" "payments" {
  name = "Payments"
}

# An invitation is mailed.
resource "port_user" "boss" {
  email  = "boss@example.com"
  name   = "Bo Boss"
  role   = "Admin"
  invite = true
}

# May log in at once, without a mail.
resource "port_user" "ann" {
  email                = "ann@example.com"
  name                 = "Ann Bee"
  status               = "Active"
  role                 = "Moderator"
  moderated_blueprints = [port_blueprint.payment.identifier]
  teams                = [port_team.payments.identifier]

  properties = {
    string_props = { phone = "+39 06 1234" }
    array_props  = { string_items = { skills = ["go", "sql"] } }
  }

  relations = { single_relations = { manager = port_user.boss.id } }

  depends_on = [port_system_blueprint.user]
}
