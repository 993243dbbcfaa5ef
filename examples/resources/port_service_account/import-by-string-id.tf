import {
  to = port_service_account.deploy
  id = "deploy-bot"
}
