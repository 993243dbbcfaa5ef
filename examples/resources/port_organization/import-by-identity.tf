import {
  to = port_organization.this
  identity = {
    name = "Acme"
  }
}
