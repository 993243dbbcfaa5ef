resource "port_blueprint" "team_space" {
  identifier = "team_space"
  title      = "Team space"
}

resource "port_blueprint" "microservice" {
  identifier = "microservice"
  title      = "Microservice"
  ownership  = { type = "Direct" }

  properties = {
    string_props  = { language = { title = "Language" } }
    number_props  = { replicas = { title = "Replicas" } }
    boolean_props = { public = { title = "Public" } }
    object_props  = { settings = { title = "Settings" } }
    array_props   = { tags = { title = "Tags", string_items = {} } }
  }

  relations = {
    space     = { title = "Space", target = port_blueprint.team_space.identifier }
    neighbors = { title = "Neighbors", target = port_blueprint.team_space.identifier, many = true }
  }
}

resource "port_entity" "space" {
  blueprint  = port_blueprint.team_space.identifier
  identifier = "payments"
  title      = "Payments"
}

resource "port_entity" "checkout" {
  blueprint  = port_blueprint.microservice.identifier
  identifier = "checkout"
  title      = "Checkout"
  teams      = ["payments"]

  properties = {
    string_props  = { language = "go" }
    number_props  = { replicas = 3 }
    boolean_props = { public = true }
    object_props  = { settings = jsonencode({ logging = "debug" }) }
    array_props   = { string_items = { tags = ["pci", "public"] } }
  }

  relations = {
    single_relations = { space = port_entity.space.identifier }
    many_relations   = { neighbors = [port_entity.space.identifier] }
  }
}
