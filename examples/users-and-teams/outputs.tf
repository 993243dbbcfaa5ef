output "pipeline_client_id" {
  value     = port_service_account.pipeline.client_id
  sensitive = true
}

output "pipeline_client_secret" {
  value     = port_service_account.pipeline.client_secret
  sensitive = true
}
