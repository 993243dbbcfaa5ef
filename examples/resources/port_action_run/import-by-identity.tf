import {
  to = port_action_run.orders
  identity = {
    run_id = "r_0123456789abcdef"
  }
}
