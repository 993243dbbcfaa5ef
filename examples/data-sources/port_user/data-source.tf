resource "port_user" "ann" {
  email = "ann@example.com"
  name  = "Ann Bee"
  role  = "Admin"
}

data "port_user" "ann" {
  email = port_user.ann.email
}

output "anns_role" {
  value = data.port_user.ann.role
}
