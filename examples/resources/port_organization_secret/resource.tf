variable "registry_token" {
  description = "Token of the container registry."
  type        = string
  default     = "change me"
  ephemeral   = true
}

# In no plan and no state: sent when the secret is made, and again with every new
# secret_value_wo_version. With Terraform before 1.11 use secret_value.
resource "port_organization_secret" "registry" {
  secret_name     = "REGISTRY_TOKEN"
  secret_value_wo = var.registry_token
  description     = "Pushes images"
}
