data "port_organization" "this" {}

output "kafka_topic_prefix" {
  value = data.port_organization.this.organization_id
}
