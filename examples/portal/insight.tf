# What is known about one thing through the others, and relations that lead in a circle.

resource "port_aggregation_properties" "domain" {
  blueprint_identifier = port_blueprint.domain.identifier

  properties = {
    services = {
      title                       = "Services"
      target_blueprint_identifier = port_blueprint.service.identifier
      path_filter                 = [{ from_blueprint = port_blueprint.service.identifier, path = ["domain"] }]
      method                      = { count_entities = true }
    }
    gold_services = {
      title                       = "Gold services"
      target_blueprint_identifier = port_blueprint.service.identifier
      path_filter                 = [{ from_blueprint = port_blueprint.service.identifier, path = ["domain"] }]
      query = jsonencode({
        combinator = "and"
        rules      = [{ property = "tier", operator = "=", value = "gold" }]
      })
      method = { count_entities = true }
    }
    lowest_slo = {
      title                       = "Lowest availability target"
      target_blueprint_identifier = port_blueprint.service.identifier
      path_filter                 = [{ from_blueprint = port_blueprint.service.identifier, path = ["domain"] }]
      method                      = { aggregate_by_property = { func = "min", property = "slo" } }
    }
  }
}

# A deployment belongs to a service, and a service points at the one that runs:
# neither blueprint could be made first, were this relation not a resource of its own.
resource "port_blueprint_relation" "running" {
  blueprint_identifier = port_blueprint.service.identifier
  identifier           = "running"
  title                = "Running deployment"
  target               = port_blueprint.deployment.identifier
}

resource "port_system_blueprint" "user" {
  identifier = "_user"

  properties = {
    string_props = {
      chat = { title = "Chat handle" }
    }
  }
}
