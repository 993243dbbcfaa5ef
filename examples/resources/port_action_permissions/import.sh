# The ID is the action's identifier.
terraform import port_action_permissions.scale scale_service
