# The ID is what stands before the @ in the address, or the whole address. The
# credentials of an imported account are not known: change rotation to get new ones.
terraform import port_service_account.deploy deploy-bot
