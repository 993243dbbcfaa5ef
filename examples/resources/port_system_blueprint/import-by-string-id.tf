import {
  to = port_system_blueprint.user
  id = "_user"
}
