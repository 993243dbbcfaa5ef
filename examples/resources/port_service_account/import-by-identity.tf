import {
  to = port_service_account.deploy
  identity = {
    identifier = "deploy-bot"
  }
}
