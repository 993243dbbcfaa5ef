import {
  to = port_action.scale
  identity = {
    identifier = "scale_service"
  }
}
