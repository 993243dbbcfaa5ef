import {
  to = port_entity.checkout
  id = "microservice:checkout"
}
