# The ID is the name of the secret. Its value is not known after an import.
terraform import port_organization_secret.registry REGISTRY_TOKEN
