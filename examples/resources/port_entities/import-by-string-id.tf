import {
  to = port_entities.regions
  id = "region:eu-west-1,eu-central-1,us-east-1"
}
