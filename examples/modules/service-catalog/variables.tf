variable "prefix" {
  description = "Put before the identifiers of the blueprints, so that a module may be used twice in one account."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]*$", var.prefix))
    error_message = "A prefix holds letters, digits, _ and - only."
  }
}

variable "tiers" {
  description = "The tiers a service may have, best first."
  type        = list(string)
  default     = ["gold", "silver", "bronze"]
}

variable "extra_string_props" {
  description = "Further text properties of a service, as in port_blueprint."
  type        = map(object({ title = string, format = optional(string), enum = optional(list(string)) }))
  default     = {}
}

variable "environments" {
  description = "Environments by identifier."
  type        = map(object({ title = string, stage = string }))
  default     = {}
}

variable "services" {
  description = "Services by identifier."
  type = map(object({
    title        = string
    tier         = string
    repository   = optional(string)
    teams        = optional(set(string))
    environments = optional(list(string), [])
  }))
  default = {}
}

variable "force_delete" {
  description = "Whether destroying the module also deletes services that Terraform does not know."
  type        = bool
  default     = false
}
