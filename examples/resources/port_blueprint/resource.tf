resource "port_blueprint" "environment" {
  identifier = "environment"
  title      = "Environment"
  icon       = "Environment"

  properties = {
    string_props = {
      stage = {
        title       = "Stage"
        required    = true
        enum        = ["staging", "production"]
        enum_colors = { staging = "yellow", production = "green" }
      }
    }
  }
}

resource "port_blueprint" "service" {
  identifier  = "service"
  title       = "Service"
  icon        = "Microservice"
  description = "A deployable unit"
  ownership   = { type = "Direct" }

  properties = {
    string_props = {
      repository = { title = "Repository", format = "url" }
      language   = { title = "Language", enum = ["go", "python"], default = "go" }
    }
    number_props = {
      replicas = { title = "Replicas", minimum = 0, maximum = 100 }
    }
    boolean_props = {
      public = { title = "Reachable from the internet" }
    }
    array_props = {
      tags = { title = "Tags", string_items = {} }
    }
    object_props = {
      settings = { title = "Settings", default = jsonencode({ logging = "info" }) }
    }
  }

  relations = {
    environment = {
      title  = "Runs in"
      target = port_blueprint.environment.identifier
    }
  }

  mirror_properties = {
    stage = { title = "Stage", path = "environment.stage" }
  }

  calculation_properties = {
    slug = {
      title       = "Slug"
      type        = "string"
      calculation = ".title | ascii_downcase | gsub(\" \"; \"-\")"
    }
  }
}
