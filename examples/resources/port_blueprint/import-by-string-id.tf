import {
  to = port_blueprint.service
  id = "service"
}
