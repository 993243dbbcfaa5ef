import {
  to = port_aggregation_properties.domain
  id = "domain"
}
