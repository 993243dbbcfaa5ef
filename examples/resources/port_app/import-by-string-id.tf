import {
  to = port_app.ci
  id = "CI"
}
