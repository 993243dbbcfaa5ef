# The forms that are offered on services.
data "port_actions" "services" {
  blueprints   = ["service"]
  trigger_type = "self-service"
  operations   = ["DAY-2", "DELETE"]
}

output "without_approval" {
  value = [for a in data.port_actions.services.actions : a.identifier if !contains(["true", "ANY", "ALL"], coalesce(a.required_approval, "false"))]
}

# Automations that do not run.
data "port_actions" "unpublished" {
  trigger_type = "automation"
  published    = false
}

# What has no attribute of its own is in the document.
output "unpublished_expressions" {
  value = { for a in data.port_actions.unpublished.actions : a.identifier => try(jsondecode(a.document).trigger.condition.expressions, []) }
}
