import {
  to = port_user.ann
  id = "ann@example.com"
}
