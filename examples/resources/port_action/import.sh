# The ID is the action's identifier.
terraform import port_action.scale scale_service
