import {
  to = port_blueprint_permissions.service
  identity = {
    blueprint_identifier = "service"
  }
}
