package provider

import (
	"context"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// port_organization is the organization that the credentials belong to,
// reference/provider-catalog.md §12. It is always there: to create it is to take it
// over, and to destroy it is to let go of it.

func organizationDeclaration() *Declaration {
	return &Declaration{
		Name: "organization",
		Doc: "The organization that the provider's credentials belong to. There is one, which is always there: creating the resource takes it over, " +
			"destroying it leaves the organization as it is, and any import ID finds it.",
		Key: []string{"name"},
		API: API{Read: readOrganization, Create: writeOrganization, Update: writeOrganization, Delete: leaveOrganization},
		Parts: []lens.Part{
			lens.Field("name", lens.String, lens.OptComputed, "Name of the organization. Left out, it stays as it is.").Check(notEmpty()),
		},
	}
}

func readOrganization(ctx context.Context, s *session, _ []string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"organization"}})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "organization")
}

// writeOrganization patches what the plan says; the answer holds nothing of it.
func writeOrganization(ctx context.Context, c *change) (jsonv.Object, error) {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodPatch, Path: []string{"organization"}, Body: c.body, Repeat: portapi.RepeatSafe})
	if err != nil {
		return nil, err
	}
	return readOrganization(ctx, c.session, nil)
}

func leaveOrganization(context.Context, *change) error { return nil }
