# The ID is the client ID, or the name where only one set of credentials has it.
terraform import port_app.ci CI
