terraform {
  required_providers {
    port = {
      source = "portlens/port"
    }
  }
}

# Credentials come from PORT_CLIENT_ID and PORT_CLIENT_SECRET, the address from
# PORT_BASE_URL. With PORT_BASE_URL=embedded:portal.db everything runs offline.
provider "port" {}
