resource "port_blueprint" "server" {
  identifier = "server"
  title      = "Server"

  properties = {
    string_props = { zone = { title = "Zone" } }
    number_props = { cores = { title = "Cores" } }
  }
}

resource "port_entity" "server" {
  for_each = { small = 2, big = 16, huge = 64 }

  blueprint  = port_blueprint.server.identifier
  identifier = each.key
  title      = title(each.key)
  properties = { number_props = { cores = each.value } }
}

# Port does the filtering, so that only what matches travels.
data "port_entities" "big" {
  blueprint = port_blueprint.server.identifier

  rules = [
    { property = "cores", operator = ">=", value = 16 },
    { property = "$identifier", operator = "in", values = [for s in port_entity.server : s.identifier] },
  ]
}

output "big_servers" {
  value = { for s in data.port_entities.big.entities : s.identifier => s.properties.number_props.cores }
}
