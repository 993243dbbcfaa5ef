# The ID is the name of the team, or its identifier where no team has that name.
terraform import port_team.platform Platform
