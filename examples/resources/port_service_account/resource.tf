resource "port_team" "delivery" {
  name = "Delivery"
}

# Its address is deploy-bot@serviceaccounts.getport.io. Adding rotation = "2024-02",
# and changing it later, makes new credentials; status = "Disabled" suspends the account.
resource "port_service_account" "deploy" {
  identifier = "deploy-bot"
  title      = "Deploy bot"
  role       = "Member"
  teams      = [port_team.delivery.identifier]
}

# Permissions name the account by its address, programs log in with its credentials.
output "deploy_email" {
  value = port_service_account.deploy.email
}

output "deploy_client_secret" {
  value     = port_service_account.deploy.client_secret
  sensitive = true
}
