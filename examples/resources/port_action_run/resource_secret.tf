variable "deploy_token" {
  description = "Token of the deployment system."
  type        = string
  default     = "change me"
  ephemeral   = true
}

# The agent in your network carries the run out.
resource "port_action" "deploy" {
  identifier = "deploy"
  title      = "Deploy"

  self_service_trigger = {
    operation = "CREATE"
    user_properties = {
      string_props = {
        version = { title = "Version", required = true }
        token   = { title = "Token", required = true, encryption = "aes256-gcm" }
      }
    }
  }

  webhook_method = {
    url   = "https://deploy.internal.example.com/"
    agent = "true"
  }
}

# The token is in no plan and no state; another version of it deploys again. Nothing
# is waited for: the next refresh tells what has become of the run.
resource "port_action_run" "deploy" {
  action     = port_action.deploy.identifier
  properties = jsonencode({ version = "1.4.2" })
  wait_for   = []

  secret_properties_wo         = jsonencode({ token = var.deploy_token })
  secret_properties_wo_version = 1
}

output "deployment" {
  value = port_action_run.deploy.status
}
