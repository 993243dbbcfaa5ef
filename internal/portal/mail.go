package portal

import (
	"context"
	"log/slog"

	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Mail is what a portal tells people outside, such as that they are invited.
type Mail = identity.Mail

// posting is a store whose updates are followed by what they left in the outbox:
// mail leaves when its cause stands, whatever the cause was.
type posting struct {
	store.Store
	identity *identity.Identity
	send     func(context.Context, Mail) error
	log      *slog.Logger
}

// Update implements [store.Store].
func (s *posting) Update(ctx context.Context, f func(store.Tx) error) error {
	if err := s.Store.Update(ctx, f); err != nil {
		return err
	}
	s.post(ctx)
	return nil
}

// post sends what is in the outbox. What fails stays there for the next time: the
// update that caused it has succeeded.
func (s *posting) post(ctx context.Context) {
	if err := s.identity.SendMail(context.WithoutCancel(ctx), s.send); err != nil {
		s.log.Error("mail", "error", err)
	}
}

// logged sends nothing but tells the log, which is all that a portal without a mail
// server can do (reference/identity.md §2.3 U9).
func logged(log *slog.Logger) func(context.Context, Mail) error {
	return func(ctx context.Context, m Mail) error {
		log.InfoContext(ctx, "mail", "kind", m.Kind, "to", m.To, "org", m.Org, "id", m.ID)
		return nil
	}
}

// Outbox lists the mail that was sent or is about to be, oldest first.
func (p *Portal) Outbox(ctx context.Context) ([]Mail, error) { return p.identity.Outbox(ctx) }
