import {
  to = port_organization_secret.registry
  identity = {
    secret_name = "REGISTRY_TOKEN"
  }
}
