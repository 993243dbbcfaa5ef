package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"sync"
)

// portals are the embedded portals of one process: each file is opened once,
// however many provider blocks name it.
type portals struct {
	open OpenEmbedded
	mu   sync.Mutex
	at   map[string]embeddedPortal
}

type embeddedPortal struct {
	transport http.RoundTripper
	closer    io.Closer
}

func newPortals(open OpenEmbedded) *portals {
	return &portals{open: open, at: map[string]embeddedPortal{}}
}

var errNoEmbedded = errors.New("this build has no embedded portal")

func (p *portals) transport(ctx context.Context, file string) (http.RoundTripper, error) {
	if p.open == nil {
		return nil, errNoEmbedded
	}
	if file == "" {
		return nil, errors.New(`no file is named: write "embedded:FILE", for example "embedded:portal.db"`)
	}
	name, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.at[name]; ok {
		return e.transport, nil
	}
	transport, closer, err := p.open(context.WithoutCancel(ctx), name)
	if err != nil {
		return nil, err
	}
	p.at[name] = embeddedPortal{transport, closer}
	return transport, nil
}

// Close ends every portal that was opened.
func (p *portals) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for name, e := range p.at {
		delete(p.at, name)
		if e.closer != nil {
			errs = append(errs, e.closer.Close())
		}
	}
	return errors.Join(errs...)
}
