package portal_test

import (
	"errors"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// login is what an identity provider says of somebody in a step of a scenario.
type login struct {
	Email      string   `yaml:"email"`
	First      string   `yaml:"first"`
	Last       string   `yaml:"last"`
	Groups     []string `yaml:"groups"`
	Provider   string   `yaml:"provider"` // default okta
	Unverified bool     `yaml:"unverified"`
	Token      string   `yaml:"token"`  // what the access token is saved as
	Refused    int      `yaml:"status"` // of the fault that is wanted, if one is
}

func (l login) run(t *testing.T, p *portaltest.Portal, n int, saved map[string]string) {
	t.Helper()
	if l.Provider == "" {
		l.Provider = "okta"
	}
	token, err := p.Login(t.Context(), identity.Login{
		Email: l.Email, FirstName: l.First, LastName: l.Last, Groups: l.Groups, Provider: l.Provider, Unverified: l.Unverified,
	})
	var f *fault.Fault
	switch refused := errors.As(err, &f); {
	case err != nil && !refused:
		t.Fatalf("step %d: login: %v", n, err)
	case refused && f.Status != l.Refused:
		t.Fatalf("step %d: login of %s is refused: %v", n, l.Email, err)
	case !refused && l.Refused != 0:
		t.Fatalf("step %d: %s could log in", n, l.Email)
	}
	if l.Token != "" {
		saved[l.Token] = token
	}
}
