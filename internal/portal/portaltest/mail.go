package portaltest

import (
	"context"
	"slices"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/portal"
)

// mailbox takes what a portal sends.
type mailbox struct {
	mu   sync.Mutex
	mail []portal.Mail
	fail error
}

func (m *mailbox) take(_ context.Context, mail portal.Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.mail = append(m.mail, mail)
	return nil
}

// Mail is what the portal sent so far, in order.
func (p *Portal) Mail() []portal.Mail {
	p.mailbox.mu.Lock()
	defer p.mailbox.mu.Unlock()
	return slices.Clone(p.mailbox.mail)
}

// FailMail makes mail fail with an error from now on; nil lets it pass again.
func (p *Portal) FailMail(err error) {
	p.mailbox.mu.Lock()
	defer p.mailbox.mu.Unlock()
	p.mailbox.fail = err
}
