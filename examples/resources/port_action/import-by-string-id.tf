import {
  to = port_action.scale
  id = "scale_service"
}
