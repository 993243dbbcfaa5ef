import {
  to = port_aggregation_properties.domain
  identity = {
    blueprint_identifier = "domain"
  }
}
