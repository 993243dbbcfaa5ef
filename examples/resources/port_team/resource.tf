resource "port_user" "ann" {
  email = "ann@example.com"
  name  = "Ann Bee"
}

# The members are declared here. To declare them by the teams of each port_user
# instead, leave users out.
resource "port_team" "platform" {
  name        = "Platform"
  description = "Runs what everybody builds on"
  users       = [port_user.ann.email]
}

# What names a team names it by its identifier, which a rename does not change.
resource "port_blueprint" "cluster" {
  identifier = "cluster"
  title      = "Cluster"
  ownership  = { type = "Direct" }
}

resource "port_entity" "production" {
  blueprint  = port_blueprint.cluster.identifier
  identifier = "production"
  title      = "Production"
  teams      = [port_team.platform.identifier]
}
