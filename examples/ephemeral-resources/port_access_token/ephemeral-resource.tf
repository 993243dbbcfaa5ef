# A token for what the provider itself works with.
ephemeral "port_access_token" "this" {}

# Scripts call the API with it. Their output is not shown.
resource "terraform_data" "smoke_test" {
  provisioner "local-exec" {
    command     = "test -n \"$PORT_TOKEN\" # curl -fH \"Authorization: Bearer $PORT_TOKEN\" https://api.getport.io/v1/organization"
    environment = { PORT_TOKEN = ephemeral.port_access_token.this.token }
  }
}
