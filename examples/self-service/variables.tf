variable "backend_url" {
  description = "Where the backend listens that carries the actions out, without a slash at the end."
  type        = string
  default     = "http://127.0.0.1:8080"
}

variable "chat_url" {
  description = "Incoming webhook of a chat channel, for requests and news."
  type        = string
  default     = "http://127.0.0.1:8080/chat"
}

variable "services_per_team" {
  description = "How many services a team may have."
  type        = number
  default     = 10
}
