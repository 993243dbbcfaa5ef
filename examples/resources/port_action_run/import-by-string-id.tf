import {
  to = port_action_run.orders
  id = "r_0123456789abcdef"
}
