import {
  to = port_team.platform
  id = "Platform"
}
