import {
  to = port_team.platform
  identity = {
    name = "Platform"
  }
}
