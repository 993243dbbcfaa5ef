# Whatever is left out stays as it is in Port.
resource "port_organization" "this" {
  name = "Acme"

  settings = {
    portal_title            = "Acme developers"
    support_user_permission = "OPT_OUT"
  }

  announcement = {
    content = "The portal moves on Friday."
    enabled = true
    color   = "blue"
  }
}
