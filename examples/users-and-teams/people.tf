# Members are declared with the users, so the teams leave them alone.
resource "port_team" "payments" {
  name        = "Payments"
  description = "Takes the money."
}

resource "port_team" "platform" {
  name        = "Platform"
  description = "Keeps the lights on."
}

# Active users may log in at once. Left out, a new user has to be let in first;
# invite = true mails an invitation.
resource "port_user" "ada" {
  email  = "ada@example.com"
  name   = "Ada Example"
  status = "Active"
  teams  = [port_team.payments.identifier]
}

# Manages the blueprint of services and every service, whoever owns it.
resource "port_user" "grace" {
  email                = "grace@example.com"
  name                 = "Grace Example"
  status               = "Active"
  role                 = "Moderator"
  moderated_blueprints = [port_blueprint.service.identifier]
  teams                = [port_team.platform.identifier]
}

# The pipeline of the payments team: a member as its people are, with credentials
# of its own and, in permissions.tf, rights of its own.
resource "port_service_account" "pipeline" {
  identifier = "payments-pipeline"
  title      = "Payments pipeline"
  teams      = [port_team.payments.identifier]
}
