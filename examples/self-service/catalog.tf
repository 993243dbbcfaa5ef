# What runs make is in the catalog and not in this configuration: destroying the
# example takes it along.
resource "port_blueprint" "environment" {
  identifier = "environment"
  title      = "Environment"
  icon       = "Environment"
  properties = {
    string_props = {
      stage = { title = "Stage", required = true, enum = ["test", "production"] }
    }
    boolean_props = {
      locked = { title = "Locked", description = "Nothing new is put here" }
    }
  }
}

resource "port_blueprint" "service" {
  identifier            = "service"
  title                 = "Service"
  icon                  = "Microservice"
  ownership             = { type = "Direct", title = "Owned by" }
  force_delete_entities = true
  properties = {
    string_props = {
      tier       = { title = "Tier", required = true, enum = ["1", "2", "3"], enum_colors = { "1" = "red", "2" = "orange", "3" = "lightGray" } }
      language   = { title = "Language" }
      owner      = { title = "Owner", format = "user" }
      repository = { title = "Repository", format = "url" }
    }
  }
  relations = {
    depends_on = { title = "Depends on", target = "service", many = true }
  }
}

resource "port_blueprint" "deployment" {
  identifier            = "deployment"
  title                 = "Deployment"
  icon                  = "Deployment"
  ownership             = { type = "Inherited", path = "service" }
  force_delete_entities = true
  properties = {
    number_props = {
      replicas = { title = "Replicas", minimum = 0 }
    }
  }
  relations = {
    service     = { title = "Service", target = port_blueprint.service.identifier }
    environment = { title = "Environment", target = port_blueprint.environment.identifier }
  }
}

# What is known of services that are gone.
resource "port_blueprint" "retirement" {
  identifier            = "retirement"
  title                 = "Retirement"
  icon                  = "Clock"
  force_delete_entities = true
  properties = {
    string_props = {
      tier = { title = "Tier" }
      at   = { title = "Retired at", format = "date-time" }
      by   = { title = "Retired by" }
    }
    object_props = {
      last = { title = "As it was" }
    }
  }
}

resource "port_entity" "environment" {
  for_each = {
    test    = { title = "Test", stage = "test", locked = false }
    eu      = { title = "Production, Europe", stage = "production", locked = false }
    eu-next = { title = "Production, Europe, next", stage = "production", locked = true }
  }
  blueprint  = port_blueprint.environment.identifier
  identifier = each.key
  title      = each.value.title
  properties = {
    string_props  = { stage = each.value.stage }
    boolean_props = { locked = each.value.locked }
  }
}

resource "port_entity" "ledger" {
  blueprint  = port_blueprint.service.identifier
  identifier = "ledger"
  title      = "Ledger"
  teams      = [port_team.platform.identifier]
  properties = {
    string_props = { tier = "1", language = "go", owner = port_user.grace.email }
  }
}
