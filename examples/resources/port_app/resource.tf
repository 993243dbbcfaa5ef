# A client ID and a client secret for pipelines. Set store_credentials = false to keep
# the secret out of the state, and another text for rotation to make a new secret.
resource "port_app" "ci" {
  name = "CI"
}
