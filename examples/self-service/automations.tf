# What happens by itself. A new service is announced, and so is one that could not be
# made: an automation on the runs of an action sees each of their changes.
resource "port_action" "announce" {
  identifier = "announce_services"
  title      = "Announce new services"

  automation_trigger = {
    run_updated_event = { action_identifier = port_action.scaffold.identifier }
    jq_condition = {
      expressions = [".diff.before.endedAt == null", ".diff.after.endedAt != null"]
    }
  }

  webhook_method = {
    url          = var.chat_url
    synchronized = "true"
    body = jsonencode({
      text = "{{ .event.diff.after | \"\\(.properties.name): \\(.statusLabel // .status) \\(.link[0] // \"\")\" }}"
    })
  }
}

# Whoever deletes a service, and however, leaves a record of it.
resource "port_action" "record" {
  identifier = "record_retirements"
  title      = "Record retired services"

  automation_trigger = {
    entity_deleted_event = { blueprint_identifier = port_blueprint.service.identifier }
  }

  upsert_entity_method = {
    blueprint_identifier = port_blueprint.retirement.identifier
    title                = "{{ .event.diff.before.title }}"
    mapping = {
      identifier = "{{ .event.context.entityIdentifier }}-{{ .event.trigger.at | .[:10] }}"
      properties = jsonencode({
        tier = "{{ .event.diff.before.properties.tier }}"
        at   = "{{ .event.trigger.at }}"
        by   = "{{ .event.trigger.by.userId }}"
        last = "{{ .event.diff.before }}"
      })
    }
  }
}
