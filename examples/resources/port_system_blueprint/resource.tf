resource "port_blueprint" "office" {
  identifier = "office"
  title      = "Office"
}

# What people are in Port is extended by where they work and how to reach them.
resource "port_system_blueprint" "user" {
  identifier = "_user"

  properties = {
    string_props = {
      phone = { title = "Phone", pattern = "^[0-9+ ]+$" }
    }
    array_props = {
      skills = { title = "Skills", string_items = {} }
    }
  }

  relations = {
    office = { title = "Office", target = port_blueprint.office.identifier }
  }

  mirror_properties = {
    office_name = { title = "Name of the office", path = "office.$title" }
  }
}
