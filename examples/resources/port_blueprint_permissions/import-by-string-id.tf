import {
  to = port_blueprint_permissions.service
  id = "service"
}
