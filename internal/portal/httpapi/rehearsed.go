package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Programs of forms, policies and templates are anybody's, and the updates of a store
// wait for each other. So a request that runs some may hold up others for these times
// only; with more to do it is rehearsed on a snapshot, within the time that all
// programs of one request have together.
const (
	programsTime = 5 * time.Second
	quickTime    = 10 * time.Millisecond
	// lastTime is for the last try, when what the programs are given has changed
	// again and again.
	lastTime = 200 * time.Millisecond
	tries    = 4
)

var errTooSlow = errors.New("the programs take too long for an update")

// rehearsed runs a handler with programs in an update. A rehearsal ends at its first
// write, which a view refuses, or with the handler's own refusal, which the update
// will find again: nothing that it says matters but the results of its programs.
func (x *exchange) rehearsed(call func(store.Tx) error) error {
	r := jq.NewRehearsal(programsTime)
	ctx := x.call.ctx
	x.call.ctx, x.call.draft = r.In(ctx), &runs.Draft{}
	for try := 1; ; try++ {
		quick := quickTime
		if try == tries {
			quick = lastTime
		}
		err := x.api.store.Update(ctx, func(tx store.Tx) error {
			r.Perform(quick)
			err := call(tx)
			if r.TooSlow() {
				return errTooSlow
			}
			return err
		})
		switch {
		case !errors.Is(err, errTooSlow):
			return err
		case try == tries:
			return fault.New(http.StatusServiceUnavailable, "unavailable", "What the programs of the action look at changes faster than they run: try again")
		}
		err = x.api.store.View(ctx, func(tx store.Tx) error {
			r.Rehearse()
			return call(tx)
		})
		if ctx.Err() != nil {
			return err
		}
	}
}
