import {
  to = port_organization.this
  id = "Acme"
}
