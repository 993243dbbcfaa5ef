import {
  to = port_app.ci
  identity = {
    client_id = "60EsooJtOqimlekxrNh7nfr2iOgTcyLZ"
  }
}
