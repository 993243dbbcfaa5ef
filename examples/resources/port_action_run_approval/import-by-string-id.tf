import {
  to = port_action_run_approval.orders
  id = "r_0123456789abcdef"
}
