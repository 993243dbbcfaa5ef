# A small but complete developer portal: domains own services, services are built
# from packages, run in environments and are changed by deployments.
# Apply it to an embedded portal, with no account:
#
#   PORT_BASE_URL=embedded:portal.db terraform apply

terraform {
  required_providers {
    port = {
      source = "portlens/port"
    }
  }
}

provider "port" {}
