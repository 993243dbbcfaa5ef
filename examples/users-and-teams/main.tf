# An organization of two teams. Domains are owned by a team; services belong to a
# domain and deployments to a service, and both inherit the owner: a deployment
# over two relations. Who may do what follows from that, not from lists of names.
terraform {
  required_version = ">= 1.8"
  required_providers {
    port = { source = "portlens/port" }
  }
}

provider "port" {}
