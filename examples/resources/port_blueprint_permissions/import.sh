# The ID is the blueprint's identifier.
terraform import port_blueprint_permissions.service service
