package automations

import (
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Events are handled one after the other, so that an automation whose programs are
// slow would hold up all others for good. Each has this time at once for what takes a
// noticeable time, and gets a part of the time that passes back.
const (
	allowance = 5 * time.Second
	refill    = 0.1
)

// allowances are what automations have left; those that are not in it have all.
type allowances struct {
	mu   sync.Mutex
	left map[string]allowed
}

type allowed struct {
	left time.Duration
	at   time.Time
}

// with lets f use what an automation has left.
func (a *allowances) with(automation store.Doc, now time.Time, f func(*jq.Budget)) {
	id := jsonv.String(automation, "id")
	a.mu.Lock()
	used, some := a.left[id]
	a.mu.Unlock()
	left := allowance
	if some {
		left = min(allowance, used.left+time.Duration(refill*float64(now.Sub(used.at))))
	}
	budget := jq.NewBudget(left)
	f(budget)
	a.mu.Lock()
	defer a.mu.Unlock()
	if left = budget.Left(); left == allowance {
		delete(a.left, id)
		return
	}
	if a.left == nil {
		a.left = map[string]allowed{}
	}
	a.left[id] = allowed{left, now}
}
