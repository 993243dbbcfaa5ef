package runs

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// The statuses of a run (reference/actions.md §4.4).
const (
	InProgress = "IN_PROGRESS"
	Waiting    = "WAITING_FOR_APPROVAL"
	Success    = "SUCCESS"
	Failure    = "FAILURE"
	Declined   = "DECLINED"
)

// move is what happens to a run.
type move string

const (
	succeed move = "succeed"
	fail    move = "fail"
	edit    move = "edit" // without a new status
	answer  move = "answer"
	approve move = "approve"
	vote    move = "vote" // an approval that waits for more
	decline move = "decline"
)

// moves is the state machine: the status after each move. What is not in it is
// refused (V6).
var moves = map[string]map[move]string{
	Waiting:    {approve: InProgress, vote: Waiting, decline: Declined, fail: Failure, edit: Waiting},
	InProgress: {edit: InProgress, answer: InProgress, succeed: Success, fail: Failure},
}

// ended tells whether a status is final.
func ended(status string) bool { return moves[status] == nil }

// next is the status after a move, or why it cannot be made.
func next(id, status string, m move) (string, error) {
	if to, ok := moves[status][m]; ok {
		return to, nil
	}
	switch m {
	case approve, vote, decline:
		return "", fault.New(http.StatusUnprocessableEntity, "run_not_waiting_for_approval", "run %q is %s: it does not wait for approval", id, status)
	case succeed, fail, edit, answer:
	}
	if ended(status) {
		return "", fault.New(http.StatusUnprocessableEntity, "run_exhausted", "run %q has ended with %s and cannot be changed", id, status)
	}
	return "", fault.New(http.StatusUnprocessableEntity, "invalid_request", "run %q is %s: only its approval, or status FAILURE to cancel it, ends that", id, status)
}
