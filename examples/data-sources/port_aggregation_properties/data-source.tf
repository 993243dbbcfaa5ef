resource "port_blueprint" "region" {
  identifier = "region"
  title      = "Region"
}

data "port_aggregation_properties" "region" {
  blueprint_identifier = port_blueprint.region.identifier
}

output "computed_from_others" {
  value = keys(data.port_aggregation_properties.region.properties)
}
