# The ID is the one of the run. Nothing is run; what only the configuration knows, such
# as triggers, is taken up by the next apply.
terraform import port_action_run.orders r_0123456789abcdef
