terraform import port_blueprint.service service
