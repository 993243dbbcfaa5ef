# <blueprint>:<identifier>; either may hold colons of its own.
terraform import port_entity.checkout microservice:checkout
