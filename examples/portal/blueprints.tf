resource "port_blueprint" "domain" {
  identifier  = "domain"
  title       = "Domain"
  icon        = "TwoUsers"
  description = "A part of the business that a group of services serves"

  properties = {
    string_props = {
      mission = { title = "Mission" }
      lead    = { title = "Lead", format = "user" }
    }
  }
}

resource "port_blueprint" "environment" {
  identifier = "environment"
  title      = "Environment"
  icon       = "Environment"

  properties = {
    string_props = {
      stage = {
        title       = "Stage"
        required    = true
        enum        = ["development", "staging", "production"]
        enum_colors = { development = "blue", staging = "yellow", production = "green" }
      }
      region = { title = "Region" }
    }
    boolean_props = {
      locked = { title = "Locked", description = "Deployments are refused", default = false }
    }
  }
}

resource "port_blueprint" "cluster" {
  identifier = "cluster"
  title      = "Cluster"
  icon       = "Cluster"

  properties = {
    string_props = {
      version = { title = "Version", pattern = "^v[0-9]+\\.[0-9]+$" }
      console = { title = "Console", format = "url" }
    }
    number_props = {
      nodes = { title = "Nodes", minimum = 1, maximum = 500 }
    }
  }

  relations = {
    environment = { title = "Environment", target = port_blueprint.environment.identifier, required = true }
  }

  mirror_properties = {
    stage = { title = "Stage", path = "environment.stage" }
  }
}

resource "port_blueprint" "package" {
  identifier = "package"
  title      = "Package"
  icon       = "Package"

  properties = {
    string_props = {
      language = { title = "Language", enum = ["go", "typescript", "python"] }
      version  = { title = "Version" }
    }
    boolean_props = {
      deprecated = { title = "Deprecated" }
    }
  }
}

resource "port_blueprint" "service" {
  identifier  = "service"
  title       = "Service"
  icon        = "Microservice"
  description = "A deployable unit with an owner"
  ownership   = { type = "Direct", title = "Owning teams" }

  properties = {
    string_props = {
      tier = {
        title       = "Tier"
        required    = true
        enum        = ["gold", "silver", "bronze"]
        enum_colors = { gold = "gold", silver = "silver", bronze = "bronze" }
      }
      repository = { title = "Repository", format = "url" }
      readme     = { title = "README", format = "markdown" }
    }
    number_props = {
      slo = { title = "Availability target (%)", minimum = 0, maximum = 100 }
    }
    array_props = {
      tags    = { title = "Tags", string_items = {} }
      on_call = { title = "On call", string_items = { format = "user" } }
    }
    object_props = {
      links = { title = "Links" }
    }
  }

  relations = {
    domain       = { title = "Domain", target = port_blueprint.domain.identifier, required = true }
    packages     = { title = "Packages", target = port_blueprint.package.identifier, many = true }
    environments = { title = "Runs in", target = port_blueprint.environment.identifier, many = true }
  }

  mirror_properties = {
    domain_title = { title = "Domain", path = "domain.$title" }
    languages    = { title = "Languages", path = "packages.language" }
    stages       = { title = "Stages", path = "environments.stage" }
  }

  calculation_properties = {
    slug = {
      title       = "Slug"
      type        = "string"
      calculation = ".title | ascii_downcase | gsub(\"[^a-z0-9]+\"; \"-\")"
    }
    error_budget = {
      title       = "Error budget (minutes a month)"
      type        = "number"
      calculation = "(100 - .properties.slo) * 432 | round"
    }
  }
}

resource "port_blueprint" "deployment" {
  identifier = "deployment"
  title      = "Deployment"
  icon       = "Deployment"

  properties = {
    string_props = {
      version = { title = "Version", required = true }
      commit  = { title = "Commit", pattern = "^[0-9a-f]{7}$" }
      at      = { title = "Deployed at", format = "date-time" }
      status  = { title = "Status", enum = ["running", "succeeded", "failed"], default = "running" }
    }
  }

  relations = {
    service     = { title = "Service", target = port_blueprint.service.identifier, required = true }
    environment = { title = "Environment", target = port_blueprint.environment.identifier, required = true }
  }

  mirror_properties = {
    tier  = { title = "Tier", path = "service.tier" }
    owner = { title = "Domain", path = "service.domain.$title" }
    stage = { title = "Stage", path = "environment.stage" }
  }

  calculation_properties = {
    summary = {
      title       = "Summary"
      type        = "string"
      calculation = "\"\\(.properties.version) to \\(.relations.environment): \\(.properties.status)\""
    }
  }
}

resource "port_blueprint" "incident" {
  identifier = "incident"
  title      = "Incident"
  icon       = "Alert"

  properties = {
    string_props = {
      severity = { title = "Severity", required = true, enum = ["sev1", "sev2", "sev3"] }
    }
    boolean_props = {
      resolved = { title = "Resolved", default = false }
    }
  }

  relations = {
    service    = { title = "Service", target = port_blueprint.service.identifier, required = true }
    deployment = { title = "Caused by", target = port_blueprint.deployment.identifier }
  }

  mirror_properties = {
    domain_lead = { title = "Domain lead", path = "service.domain.lead" }
  }
}
