# All entities of a blueprint.
terraform import port_entities.regions region

# Some of them: <blueprint>:<identifier>,<identifier>,…
terraform import port_entities.regions region:eu-west-1,eu-central-1
