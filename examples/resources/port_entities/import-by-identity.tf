# All entities of the blueprint.
import {
  to = port_entities.regions
  identity = {
    blueprint = "region"
  }
}
