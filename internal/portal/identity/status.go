package identity

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// The statuses of users as entities spell them; routes do in upper case
// (reference/identity.md §2.5).
const (
	statusActive   = "Active"
	statusInvited  = "Invited"
	statusStaged   = "Staged"
	statusDisabled = "Disabled"
)

var statuses = []string{statusActive, statusInvited, statusStaged, statusDisabled}

// statusMoves are the changes of status that somebody can make. Nobody takes back
// that a user was let in other than by disabling, nor turns an invitation into
// something that never was one.
var statusMoves = map[string][]string{
	statusStaged:   {statusInvited, statusActive, statusDisabled},
	statusInvited:  {statusActive, statusDisabled},
	statusActive:   {statusDisabled},
	statusDisabled: {statusInvited, statusActive},
}

// spelledStatus is a status as it is stored, of any letter case; other text stays as
// it is, for the check of the enum to refuse.
func spelledStatus(text string) string {
	for _, status := range statuses {
		if strings.EqualFold(status, text) {
			return status
		}
	}
	return text
}

// moveStatus checks a change of status of a user with the given properties. A
// service account is never invited (reference/identity.md §5 A8).
func moveStatus(was jsonv.Object, to string) error {
	from := jsonv.String(was, "status")
	service := jsonv.String(was, "port_type") == typeServiceAccount
	switch {
	case !slices.Contains(statuses, to):
		return nil // the check of the enum refuses it
	case service && (to == statusInvited || to == statusStaged):
		return invalidAt("/properties/status", "a service account is %s or %s, never %s", statusActive, statusDisabled, to)
	case !slices.Contains(statusMoves[from], to):
		return invalidAt("/properties/status", "a user who is %s cannot become %s", from, to)
	}
	return nil
}
