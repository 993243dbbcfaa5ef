# Self-service with guardrails: people make a service from a form, change how many
# replicas run with the consent of their lead, and retire what nobody needs any more.
# A backend of yours does the work and keeps the catalog up to date; automations
# tell the chat and keep a record. Apply it to an embedded portal, with no account:
#
#   PORT_BASE_URL=embedded:portal.db terraform apply
terraform {
  required_version = ">= 1.8"
  required_providers {
    port = { source = "portlens/port" }
  }
}

provider "port" {}
