# What waits or is under way for one entity.
data "port_action_runs" "open" {
  blueprint = "service"
  entity    = "orders"
  active    = true
}

output "open" {
  value = { for run in data.port_action_runs.open.runs : run.run_id => run.status }
}
