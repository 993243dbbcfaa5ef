resource "port_organization" "this" {
  name = "Acme"
}
