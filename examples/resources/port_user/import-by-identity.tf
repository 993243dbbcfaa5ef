import {
  to = port_user.ann
  identity = {
    email = "ann@example.com"
  }
}
