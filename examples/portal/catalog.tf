locals {
  domains = {
    shopping = { title = "Shopping", mission = "From browsing to basket", lead = "ada@example.com" }
    payments = { title = "Payments", mission = "Money arrives, once", lead = "grace@example.com" }
    delivery = { title = "Delivery", mission = "Parcels on time", lead = "linus@example.com" }
  }

  environments = {
    dev     = { title = "Development", stage = "development", region = "eu-west-1" }
    staging = { title = "Staging", stage = "staging", region = "eu-west-1" }
    prod    = { title = "Production", stage = "production", region = "eu-central-1" }
  }

  clusters = {
    dev-1  = { environment = "dev", version = "v1.33", nodes = 3 }
    prod-1 = { environment = "prod", version = "v1.32", nodes = 40 }
    prod-2 = { environment = "prod", version = "v1.32", nodes = 38 }
  }

  packages = {
    "go/telemetry" = { title = "telemetry", language = "go", version = "1.8.0" }
    "go/ledger"    = { title = "ledger", language = "go", version = "3.1.4" }
    "@shop/ui"     = { title = "ui", language = "typescript", version = "12.0.1" }
    "py/routing"   = { title = "routing", language = "python", version = "0.9.2" }
  }

  services = {
    cart = {
      title        = "Cart", domain = "shopping", tier = "gold", slo = 99.95
      packages     = ["go/telemetry", "@shop/ui"]
      environments = ["dev", "staging", "prod"]
      tags         = ["public", "stateful"]
    }
    catalog = {
      title        = "Product Catalog", domain = "shopping", tier = "silver", slo = 99.9
      packages     = ["go/telemetry"]
      environments = ["dev", "prod"]
      tags         = ["public"]
    }
    checkout = {
      title        = "Checkout", domain = "payments", tier = "gold", slo = 99.99
      packages     = ["go/ledger", "go/telemetry"]
      environments = ["dev", "staging", "prod"]
      tags         = ["pci", "public"]
    }
    refunds = {
      title        = "Refunds", domain = "payments", tier = "silver", slo = 99.5
      packages     = ["go/ledger"]
      environments = ["dev", "prod"]
      tags         = ["pci"]
    }
    router = {
      title        = "Route Planner", domain = "delivery", tier = "bronze", slo = 99
      packages     = ["py/routing"]
      environments = ["dev", "prod"]
      tags         = []
    }
  }

  deployments = {
    cart-412     = { service = "cart", environment = "prod", version = "4.1.2", commit = "9f1c2ab", at = "2026-03-02T09:30:00Z", status = "succeeded" }
    cart-420     = { service = "cart", environment = "staging", version = "4.2.0", commit = "77ab01c", at = "2026-03-05T14:05:00Z", status = "running" }
    checkout-230 = { service = "checkout", environment = "prod", version = "2.3.0", commit = "0a1b2c3", at = "2026-03-01T08:00:00Z", status = "succeeded" }
    checkout-231 = { service = "checkout", environment = "prod", version = "2.3.1", commit = "d4e5f60", at = "2026-03-04T17:45:00Z", status = "failed" }
    router-101   = { service = "router", environment = "prod", version = "1.0.1", commit = "1234567", at = "2026-02-20T11:00:00Z", status = "succeeded" }
  }
}

resource "port_entity" "domain" {
  for_each   = local.domains
  blueprint  = port_blueprint.domain.identifier
  identifier = each.key
  title      = each.value.title
  properties = {
    string_props = { mission = each.value.mission, lead = each.value.lead }
  }
}

resource "port_entity" "environment" {
  for_each   = local.environments
  blueprint  = port_blueprint.environment.identifier
  identifier = each.key
  title      = each.value.title
  properties = {
    string_props  = { stage = each.value.stage, region = each.value.region }
    boolean_props = { locked = each.value.stage == "production" }
  }
}

resource "port_entity" "cluster" {
  for_each   = local.clusters
  blueprint  = port_blueprint.cluster.identifier
  identifier = each.key
  title      = each.key
  properties = {
    string_props = { version = each.value.version, console = "https://console.example.com/${each.key}" }
    number_props = { nodes = each.value.nodes }
  }
  relations = {
    single_relations = { environment = port_entity.environment[each.value.environment].identifier }
  }
}

resource "port_entity" "package" {
  for_each   = local.packages
  blueprint  = port_blueprint.package.identifier
  identifier = each.key
  title      = each.value.title
  properties = {
    string_props  = { language = each.value.language, version = each.value.version }
    boolean_props = { deprecated = false }
  }
}

resource "port_entity" "service" {
  for_each   = local.services
  blueprint  = port_blueprint.service.identifier
  identifier = each.key
  title      = each.value.title
  teams      = ["team-${each.value.domain}"]
  properties = {
    string_props = {
      tier       = each.value.tier
      repository = "https://git.example.com/${each.value.domain}/${each.key}"
      readme     = "# ${each.value.title}\n\nRuns in ${length(each.value.environments)} environments."
    }
    number_props = { slo = each.value.slo }
    array_props  = { string_items = { tags = each.value.tags } }
    object_props = {
      links = jsonencode({ dashboard = "https://grafana.example.com/d/${each.key}", runbook = "https://wiki.example.com/${each.key}" })
    }
  }
  relations = {
    single_relations = { domain = port_entity.domain[each.value.domain].identifier }
    many_relations = {
      packages     = [for p in each.value.packages : port_entity.package[p].identifier]
      environments = [for e in each.value.environments : port_entity.environment[e].identifier]
    }
  }
}

resource "port_entity" "deployment" {
  for_each   = local.deployments
  blueprint  = port_blueprint.deployment.identifier
  identifier = each.key
  title      = "${each.value.service} ${each.value.version}"
  properties = {
    string_props = { version = each.value.version, commit = each.value.commit, at = each.value.at, status = each.value.status }
  }
  relations = {
    single_relations = {
      service     = port_entity.service[each.value.service].identifier
      environment = port_entity.environment[each.value.environment].identifier
    }
  }
}

resource "port_entity" "incident" {
  blueprint  = port_blueprint.incident.identifier
  identifier = "2026-03-checkout"
  title      = "Card payments refused"
  properties = {
    string_props  = { severity = "sev1" }
    boolean_props = { resolved = false }
  }
  relations = {
    single_relations = {
      service    = port_entity.service["checkout"].identifier
      deployment = port_entity.deployment["checkout-231"].identifier
    }
  }
}
