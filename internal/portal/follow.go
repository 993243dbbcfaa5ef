package portal

import (
	"context"
	"fmt"
	"net/url"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/invoke"
	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// github is where workflows are. A root that was given is the will of whoever runs
// the portal, not of those who write actions: unlike what they name, it may be at a
// private address, as GitHub Enterprise mostly is.
func (p *Portal) github(o Options) (invoke.GitHub, error) {
	if u, err := url.Parse(o.GitHubURL); o.GitHubURL != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
		return invoke.GitHub{}, fmt.Errorf("the root of GitHub must be a URL such as https://ghe.example.com/api/v3, not %q", o.GitHubURL)
	}
	limits := invoke.GitHubLimits(o.PrivateCalls || o.GitHubURL != "")
	via := p.out.Transport
	if p.ownOut {
		via = outbound.Transport(limits)
	}
	return invoke.GitHub{URL: o.GitHubURL, Token: o.GitHubToken, HTTP: outbound.New(via, limits)}, nil
}

// note is [invoke.Options.Note].
func (p *Portal) note(ctx context.Context, d runs.Delivery, payload jsonv.Object, search runs.Search) error {
	return p.store.Update(ctx, func(tx store.Tx) error { return p.runs.Note(tx, p.identity.Org(), d, payload, search) })
}

// rivals is [invoke.Options.Rivals].
func (p *Portal) rivals(ctx context.Context, among string, ids []string) (searches []runs.Search, claimed map[string]bool, err error) {
	err = p.store.View(ctx, func(tx store.Tx) error {
		if searches, err = p.runs.Searches(tx, p.identity.Org(), among); err != nil {
			return err
		}
		claimed, err = p.runs.Claimed(tx, p.identity.Org(), ids)
		return err
	})
	return searches, claimed, err
}

// over tells that nothing more is to be sent for a run.
func (d *deliveries) over(run string) (over bool, err error) {
	err = d.store.View(d.ctx, func(tx store.Tx) error {
		over, err = d.runs.Over(tx, d.org, run)
		return err
	})
	return over, err
}
