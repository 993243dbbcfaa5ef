import {
  to = port_blueprint.service
  identity = {
    identifier = "service"
  }
}
