import {
  to = port_entity.checkout
  identity = {
    blueprint  = "microservice"
    identifier = "checkout"
  }
}
