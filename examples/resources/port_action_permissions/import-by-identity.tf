import {
  to = port_action_permissions.scale
  identity = {
    action_identifier = "scale_service"
  }
}
