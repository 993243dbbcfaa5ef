import {
  to = port_action_permissions.scale
  id = "scale_service"
}
