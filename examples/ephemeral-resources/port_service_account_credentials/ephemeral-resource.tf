variable "rotation" {
  type    = number
  default = 1
}

resource "port_service_account" "deploy" {
  identifier        = "deploy-bot"
  store_credentials = false
}

# Holds the time of the run that made it, and is made anew by another rotation.
resource "terraform_data" "rotation" {
  input            = plantimestamp()
  triggers_replace = var.rotation

  lifecycle {
    ignore_changes = [input]
  }
}

# Rotates in the apply of that run: when planning it the condition is not known
# yet, in every other run it is false. To rotate, give another rotation.
ephemeral "port_service_account_credentials" "deploy" {
  identifier = port_service_account.deploy.email
  rotate     = terraform_data.rotation.output == plantimestamp()
}

# Any secret store will do that takes a write-only value with a version.
resource "port_organization_secret" "deploy" {
  secret_name             = "DEPLOY_BOT_SECRET"
  secret_value_wo         = ephemeral.port_service_account_credentials.deploy.client_secret
  secret_value_wo_version = var.rotation
}
