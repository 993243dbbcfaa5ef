# The ID is the blueprint's identifier and the relation's key.
terraform import port_blueprint_relation.service_environment service:environment
