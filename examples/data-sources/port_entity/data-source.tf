resource "port_blueprint" "region" {
  identifier = "region"
  title      = "Region"
}

resource "port_entity" "frankfurt" {
  blueprint  = port_blueprint.region.identifier
  identifier = "eu-central-1"
  title      = "Frankfurt"
}

data "port_entity" "frankfurt" {
  blueprint  = port_entity.frankfurt.blueprint
  identifier = port_entity.frankfurt.identifier
}

output "region_title" {
  value = data.port_entity.frankfurt.title
}
