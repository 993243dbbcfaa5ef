# Reads one service as the portal shows it, computed properties included.
terraform {
  required_providers {
    port = {
      source = "portlens/port"
    }
  }
}

variable "blueprint" { type = string }
variable "identifier" { type = string }

data "port_entity" "service" {
  blueprint  = var.blueprint
  identifier = var.identifier
}

output "stages" {
  value = data.port_entity.service.properties.array_props.string_items["stages"]
}

output "in_production" {
  value = data.port_entity.service.properties.boolean_props["in_production"]
}
