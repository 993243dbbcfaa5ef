resource "port_blueprint" "region" {
  identifier = "region"
  title      = "Region"

  properties = {
    string_props = { continent = { title = "Continent" } }
    array_props  = { zones = { title = "Zones", string_items = {} } }
  }

  relations = {
    fallback = { title = "Fallback", target = "region" }
  }
}

locals {
  regions = {
    eu-west-1    = { title = "Ireland", continent = "Europe", zones = ["a", "b", "c"], fallback = "eu-central-1" }
    eu-central-1 = { title = "Frankfurt", continent = "Europe", zones = ["a", "b"], fallback = "eu-west-1" }
    us-east-1    = { title = "Virginia", continent = "America", zones = ["a", "b", "c", "d"], fallback = null }
  }
}

resource "port_entities" "regions" {
  blueprint = port_blueprint.region.identifier

  entities = {
    for identifier, region in local.regions : identifier => {
      title = region.title
      properties = {
        string_props = { continent = region.continent }
        array_props  = { string_items = { zones = region.zones } }
      }
      # Entities may relate to each other, in circles too.
      relations = { single_relations = { fallback = region.fallback } }
    }
  }
}
