# Runs offline: PORT_BASE_URL=embedded:test.db terraform test
# The portal behind these runs validates, computes and refuses as Port does, so
# nothing here is mocked.

variables {
  environments = {
    dev  = { title = "Development", stage = "development" }
    prod = { title = "Production", stage = "production" }
  }
  services = {
    cart   = { title = "Cart", tier = "gold", teams = ["shopping"], environments = ["dev", "prod"] }
    wishes = { title = "Wish list", tier = "bronze", environments = ["dev"] }
  }
}

run "applies_and_names_things" {
  assert {
    condition     = output.service_blueprint == "service"
    error_message = "The blueprint keeps its plain name when no prefix is given."
  }
  assert {
    condition     = output.service_ids["cart"] == "service:cart"
    error_message = "An entity's id is blueprint:identifier."
  }
  assert {
    condition     = port_entity.service["cart"].created_at != null
    error_message = "The portal stamps what it stores."
  }
}

run "computed_properties_follow_the_environments" {
  module {
    source = "./tests/setup"
  }
  variables {
    blueprint  = run.applies_and_names_things.service_blueprint
    identifier = "cart"
  }
  assert {
    condition     = output.stages == tolist(["development", "production"])
    error_message = "The mirror property lists the stages in relation order, got ${jsonencode(output.stages)}."
  }
  assert {
    condition     = output.in_production
    error_message = "The calculation sees the mirrored stages."
  }
}

run "a_second_apply_changes_nothing" {
  command = plan
  assert {
    condition     = port_entity.service["cart"].updated_at == run.applies_and_names_things.service_updated_at["cart"]
    error_message = "A plan without changes leaves every computed value known."
  }
}

run "a_prefix_that_is_no_identifier_is_refused" {
  command = plan
  variables {
    prefix = "not a prefix"
  }
  expect_failures = [var.prefix]
}
