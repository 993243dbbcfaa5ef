resource "port_action" "scale" {
  identifier           = "scale_service"
  title                = "Scale"
  required_approval    = "ANY"
  self_service_trigger = { operation = "CREATE" }
  webhook_method       = { url = "https://ops.example.com/scale" }
}

resource "port_action_permissions" "scale" {
  action_identifier = port_action.scale.identifier
  permissions = {
    # At most five services at a time.
    execute = {
      roles         = ["Member"]
      owned_by_team = false
      policy = jsonencode({
        queries = {
          services = {
            combinator = "and"
            rules      = [{ property = "$blueprint", operator = "=", value = "service" }]
          }
        }
        conditions = [".results.services.entities | length < 5"]
      })
    }
    approve = {
      roles = ["Admin"]
      users = ["lead@example.com"]
    }
  }
}
