import {
  to = port_action_run_approval.orders
  identity = {
    run_id = "r_0123456789abcdef"
  }
}
