# The ID is the e-mail address.
terraform import port_user.ann ann@example.com
