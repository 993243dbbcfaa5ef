resource "port_blueprint" "domain" {
  identifier = "domain"
  title      = "Domain"
  icon       = "Box"
  ownership  = { type = "Direct" }
}

resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
  icon       = "Microservice"
  ownership  = { type = "Inherited", path = "domain" }
  properties = {
    string_props = {
      language = { title = "Language" }
      on_call  = { title = "On call", format = "email" }
    }
  }
  relations = {
    domain = { title = "Domain", target = port_blueprint.domain.identifier }
  }
}

resource "port_blueprint" "deployment" {
  identifier = "deployment"
  title      = "Deployment"
  icon       = "Deployment"
  ownership  = { type = "Inherited", path = "service.domain" }
  properties = {
    string_props = {
      version = { title = "Version" }
      stage   = { title = "Stage", enum = ["test", "production"] }
    }
  }
  relations = {
    service = { title = "Service", target = port_blueprint.service.identifier }
  }
}

resource "port_entity" "checkout" {
  blueprint  = port_blueprint.domain.identifier
  identifier = "checkout"
  title      = "Checkout"
  teams      = [port_team.payments.identifier]
}

resource "port_entity" "runtime" {
  blueprint  = port_blueprint.domain.identifier
  identifier = "runtime"
  title      = "Runtime"
  teams      = [port_team.platform.identifier]
}

resource "port_entity" "cart" {
  blueprint  = port_blueprint.service.identifier
  identifier = "cart"
  title      = "Cart"
  properties = { string_props = { language = "Go" } }
  relations  = { single_relations = { domain = port_entity.checkout.identifier } }
}

resource "port_entity" "builder" {
  blueprint  = port_blueprint.service.identifier
  identifier = "builder"
  title      = "Builder"
  properties = { string_props = { language = "Rust" } }
  relations  = { single_relations = { domain = port_entity.runtime.identifier } }
}

resource "port_entity" "builder_test" {
  blueprint  = port_blueprint.deployment.identifier
  identifier = "builder-test"
  title      = "Builder on test"
  properties = { string_props = { version = "1", stage = "test" } }
  relations  = { single_relations = { service = port_entity.builder.identifier } }
}
