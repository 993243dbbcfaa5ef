data "port_whoami" "this" {
  lifecycle {
    postcondition {
      condition     = contains(self.scopes, "create:blueprints")
      error_message = "Blueprints are made by administrators: these are the credentials of a ${self.role}."
    }
  }
}

output "organization" {
  value = data.port_whoami.this.organization_name
}
