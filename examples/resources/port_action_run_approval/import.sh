# The ID is the one of the run; the vote that decided about it is imported.
terraform import port_action_run_approval.orders r_0123456789abcdef
