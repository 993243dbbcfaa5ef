# There is one organization: any ID finds it.
terraform import port_organization.this Acme
