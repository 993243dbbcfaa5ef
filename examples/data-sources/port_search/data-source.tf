resource "port_blueprint" "region" {
  identifier = "region"
  title      = "Region"
}

resource "port_entity" "frankfurt" {
  blueprint  = port_blueprint.region.identifier
  identifier = "eu-central-1"
  title      = "Frankfurt"
}

data "port_search" "frankfurt" {
  query = jsonencode({
    combinator = "and"
    rules = [
      { property = "$blueprint", operator = "=", value = port_entity.frankfurt.blueprint },
      { property = "$title", operator = "beginsWith", value = "Frank" },
    ]
  })
}

output "regions_found" {
  value = data.port_search.frankfurt.entities[*].identifier
}
