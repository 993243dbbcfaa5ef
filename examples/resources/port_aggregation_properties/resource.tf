resource "port_blueprint" "domain" {
  identifier = "domain"
  title      = "Domain"
}

resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"

  properties = {
    string_props = { language = { title = "Language" } }
    number_props = { monthly_cost = { title = "Monthly cost" } }
  }

  relations = {
    domain = { title = "Domain", target = port_blueprint.domain.identifier }
  }
}

resource "port_aggregation_properties" "domain" {
  blueprint_identifier = port_blueprint.domain.identifier

  properties = {
    go_services = {
      title                       = "Go services"
      target_blueprint_identifier = port_blueprint.service.identifier
      method                      = { count_entities = true }

      query = jsonencode({
        combinator = "and"
        rules      = [{ property = "language", operator = "=", value = "go" }]
      })
    }

    new_services_per_week = {
      title                       = "New services per week"
      target_blueprint_identifier = port_blueprint.service.identifier
      method                      = { average_entities = { average_of = "week" } }
    }

    total_cost = {
      title                       = "Cost of all services"
      target_blueprint_identifier = port_blueprint.service.identifier
      method                      = { aggregate_by_property = { func = "sum", property = "monthly_cost" } }
      path_filter                 = [{ from_blueprint = port_blueprint.service.identifier, path = ["domain"] }]
    }
  }
}
