# Make a service. The form has two pages, begins with what is known of the person in
# front of it, and asks for a reason only where one is needed. The backend makes the
# repository, writes the service into the catalog with ?run_id=, and reports on the run.
resource "port_action" "scaffold" {
  identifier  = "scaffold_service"
  title       = "New service"
  icon        = "Microservice"
  description = "A repository from the template, a pipeline, and the first deployment."

  self_service_trigger = {
    operation                  = "CREATE"
    blueprint_identifier       = port_blueprint.service.identifier
    action_card_button_text    = "Create"
    execute_action_button_text = "Create it"

    user_properties = {
      string_props = {
        name     = { title = "Name", pattern = "^[a-z][a-z0-9-]+$", min_length = 3, max_length = 40 }
        language = { title = "Language", enum = ["go", "python", "rust"], enum_colors = { go = "turquoise", python = "yellow", rust = "orange" }, default = "go" }
        tier     = { title = "Tier", enum = ["1", "2", "3"], default = "3" }
        reason   = { title = "Why the first tier?", format = "multi-line", visible_jq_query = ".form.tier == \"1\"" }
        team     = { title = "Team", format = "team", default_jq_query = ".user.teamsIdentifiers[0]" }
        owner    = { title = "Owner", format = "user", default_jq_query = ".user.email" }
        environment = {
          title      = "First environment"
          format     = "entity"
          blueprint  = port_blueprint.environment.identifier
          depends_on = ["tier"]
          sort       = { property = "$title", order = "ASC" }
          # The first tier goes to production, everything else to test first.
          dataset = {
            combinator = "and"
            rules = [
              { property = "locked", operator = "!=", value_json = jsonencode(true) },
              { property = "stage", operator = "=", value = { jq_query = "if .form.tier == \"1\" then \"production\" else \"test\" end" } },
            ]
          }
        }
      }
      number_props = {
        replicas = { title = "Replicas", default_jq_query = "if .form.tier == \"1\" then 3 else 1 end", minimum = 1, maximum = 20 }
      }
      array_props = {
        uses = { title = "Builds on", string_items = { format = "entity", blueprint = port_blueprint.service.identifier } }
      }
    }

    required_jq_query = "[\"name\", \"team\", \"environment\"] + if .form.tier == \"1\" then [\"reason\"] else [] end"

    titles = {
      running = { title = "Running it", description = "All of this can be changed later." }
    }
    steps = [
      { title = "The service", order = ["name", "language", "tier", "reason", "team", "owner"] },
      { title = "Where it runs", order = ["running", "environment", "replicas", "uses"] },
    ]
  }

  webhook_method = {
    url     = "${var.backend_url}/services"
    headers = { X-Requested-By = "{{ .trigger.by.user.email }}" }
    body = jsonencode({
      run         = "{{ .run.id }}"
      name        = "{{ .inputs.name }}"
      language    = "{{ .inputs.language }}"
      tier        = "{{ .inputs.tier }}"
      team        = "{{ .inputs.team }}"
      owner       = "{{ .inputs.owner }}"
      environment = "{{ .inputs.environment.identifier }}"
      replicas    = "{{ .inputs.replicas }}"
      uses        = "{{ [.inputs.uses[]?.identifier] }}"
    })
  }
}

# Everybody sees the action; a team's members run it, while the team has room left. A
# policy decides alone, for administrators too. One condition that holds is enough, so
# what has to hold together is one condition.
resource "port_action_permissions" "scaffold" {
  action_identifier = port_action.scaffold.identifier
  permissions = {
    execute = {
      roles         = ["Member"]
      owned_by_team = false
      policy = jsonencode({
        queries = {
          owned = {
            combinator = "and"
            rules = [
              { property = "$blueprint", operator = "=", value = port_blueprint.service.identifier },
              { property = "$team", operator = "containsAny", value = ["{{ .inputs.team }}"] },
            ]
          }
        }
        conditions = [
          "(.inputs.team as $team | .user.teamsIdentifiers | index($team) != null) and (.results.owned.entities | length < ${var.services_per_team})",
        ]
      })
    }
    approve = {}
  }
}
