import {
  to = port_system_blueprint.user
  identity = {
    identifier = "_user"
  }
}
