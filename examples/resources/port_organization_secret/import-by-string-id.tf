import {
  to = port_organization_secret.registry
  id = "REGISTRY_TOKEN"
}
