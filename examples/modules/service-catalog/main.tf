terraform {
  required_version = ">= 1.8"
  required_providers {
    port = {
      source = "portlens/port"
    }
  }
}

resource "port_blueprint" "environment" {
  identifier = "${var.prefix}environment"
  title      = "Environment"
  icon       = "Environment"

  properties = {
    string_props = {
      stage = {
        title    = "Stage"
        required = true
        enum     = ["development", "staging", "production"]
      }
    }
  }
}

resource "port_blueprint" "service" {
  identifier            = "${var.prefix}service"
  title                 = "Service"
  icon                  = "Microservice"
  ownership             = { type = "Direct" }
  force_delete_entities = var.force_delete

  properties = {
    string_props = merge({
      tier       = { title = "Tier", required = true, enum = var.tiers }
      repository = { title = "Repository", format = "url" }
    }, var.extra_string_props)
  }

  relations = {
    environments = {
      title  = "Runs in"
      target = port_blueprint.environment.identifier
      many   = true
    }
  }

  mirror_properties = {
    stages = { title = "Stages", path = "environments.stage" }
  }

  calculation_properties = {
    in_production = {
      title       = "In production"
      type        = "boolean"
      calculation = "(.properties.stages // []) | any(. == \"production\")"
    }
  }
}

resource "port_entity" "environment" {
  for_each   = var.environments
  blueprint  = port_blueprint.environment.identifier
  identifier = each.key
  title      = each.value.title
  properties = { string_props = { stage = each.value.stage } }
}

resource "port_entity" "service" {
  for_each   = var.services
  blueprint  = port_blueprint.service.identifier
  identifier = each.key
  title      = each.value.title
  teams      = each.value.teams
  properties = {
    string_props = { for k, v in { tier = each.value.tier, repository = each.value.repository } : k => v if v != null }
  }
  relations = {
    many_relations = {
      environments = [for e in each.value.environments : port_entity.environment[e].identifier]
    }
  }
}
