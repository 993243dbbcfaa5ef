package portal

import (
	"context"
	"os"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// lockSuffix makes the name of the lock file from that of the data file.
const lockSuffix = ".lock"

// holding says to other portals on the same data file that this one lives. It ends
// with the process, however that ends.
type holding struct{ file *os.File }

func (h *holding) release() {
	if h.file != nil {
		_ = h.file.Close()
		h.file = nil
	}
}

// inherit makes the deliveries of portals that are gone this one's, so that they are
// sent at once and not when the others' time is over ([runs.Lease]). That they are
// gone is known of a data file whose lock nobody holds. Portals that share a database
// wait; so do those where files cannot be locked.
func (p *Portal) inherit(ctx context.Context, o Options) error {
	if o.DataFile == "" || !p.ownStore {
		return nil
	}
	file, err := os.OpenFile(o.DataFile+lockSuffix, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		o.Log.Warn("there is no lock file: what a portal that was killed has left over waits until its time is over", "error", err)
		return nil
	}
	p.held.file = file
	if alone(file) {
		if err := p.store.View(ctx, func(tx store.Tx) error { return p.runs.Inherit(tx, p.identity.Org()) }); err != nil {
			return err
		}
	}
	share(file)
	return nil
}
