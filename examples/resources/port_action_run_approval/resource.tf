# Asked for by one provider configuration, decided about by another: the vote is that
# of whoever the provider logs in as.
provider "port" {
  alias     = "approver"
  client_id = var.approver_client_id
  secret    = var.approver_client_secret
}

variable "approver_client_id" {
  description = "Client ID of somebody who may approve."
  type        = string
  default     = null
}

variable "approver_client_secret" {
  description = "Client secret of the same."
  type        = string
  default     = null
  sensitive   = true
}

resource "port_blueprint" "service" {
  identifier            = "service"
  title                 = "Service"
  force_delete_entities = true # what runs make is not in this configuration
}

resource "port_action" "register" {
  identifier        = "register_service"
  title             = "Register a service"
  required_approval = "ANY"

  self_service_trigger = {
    operation            = "CREATE"
    blueprint_identifier = port_blueprint.service.identifier
    user_properties = {
      string_props = {
        name = { title = "Name", required = true, pattern = "^[a-z-]+$" }
      }
    }
  }

  upsert_entity_method = {
    blueprint_identifier = port_blueprint.service.identifier
    mapping              = { identifier = "{{ .inputs.name }}" }
  }
}

# Done as soon as there is something to decide about.
resource "port_action_run" "orders" {
  action     = port_action.register.identifier
  properties = jsonencode({ name = "orders" })
  wait_for   = ["WAITING_FOR_APPROVAL"]
}

# Lets the run go on, and waits until it has succeeded.
resource "port_action_run_approval" "orders" {
  provider = port.approver

  run_id      = port_action_run.orders.run_id
  decision    = "APPROVE"
  description = "Agreed with the platform team."
  wait_for    = ["SUCCESS"]
}
