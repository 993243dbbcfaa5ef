package provider

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// port_organization is the organization that the credentials belong to,
// reference/provider-catalog.md §12 and reference/identity.md §8.3. It is always
// there: to create it is to take it over, and to destroy it is to let go of it.

func organizationDeclaration() *Declaration {
	return &Declaration{
		Name: "organization",
		Doc: "The organization that the provider's credentials belong to. There is one, which is always there: creating the resource takes it over, " +
			"destroying it leaves the organization as it is, and any import ID finds it.\n\n" +
			"What the configuration leaves out stays as it is in Port, and so does what it stops saying: the API cannot take a setting back, only give it another value.",
		DataDoc:   "The organization that the provider's credentials belong to.",
		Key:       []string{"name"},
		Singleton: true,
		API:       API{Read: readOrganization, Create: writeOrganization, Update: writeOrganization, Delete: leaveOrganization},
		Parts: []lens.Part{
			lens.Field("name", lens.String, lens.OptComputed, "Name of the organization. Left out, it stays as it is.").Check(notEmpty()),
			lens.Field("settings", lens.Object(organizationSettings()...), lens.OptComputed, "Settings of the portal. Each that is left out stays as it is."),
			lens.Field("announcement", lens.Object(
				lens.Field("content", lens.String, lens.Req, "Text of the announcement.").Check(lens.Length(1, 300)),
				lens.Field("enabled", lens.Bool, lens.OptComputed, "Whether the announcement is shown."),
				lens.Field("link", lens.String, lens.OptComputed, "Address that the announcement leads to.").Check(lens.Length(0, 300)),
				lens.Field("color", lens.Enum("blue", "red"), lens.OptComputed, "Colour of the announcement."),
			), lens.OptComputed, "Announcement at the top of every page. Left out, it stays as it is; to hide it, set `enabled = false`."),
			lens.Field("is_onboarded", lens.Bool, lens.OptComputed, "Whether the tour for new organizations is over."),
			lens.ReadOnly("organization_id", lens.String, "ID of the organization, which begins with `org_`. It is also the prefix of its Kafka topics.").At("id").Keep(),
			lens.ReadOnly("feature_flags", lens.Set(lens.String), "Features that Port has switched on for the organization."),
		},
	}
}

func organizationSettings() []lens.Part {
	setting := func(name string, kind lens.Kind, doc string) *lens.FieldPart {
		return lens.Field(name, kind, lens.OptComputed, doc)
	}
	return []lens.Part{
		setting("hidden_blueprints", lens.Set(lens.String), "Identifiers of blueprints that the data model page does not show."),
		setting("federated_logout", lens.Bool, "Whether logging out of Port logs out of the identity provider too."),
		setting("portal_icon", lens.String, "Icon of the portal."),
		setting("portal_title", lens.String, "Title of the portal.").Check(lens.Length(0, 30)),
		setting("support_user_permission", lens.Enum("OPT_IN", "OPT_OUT"), "Whether people of Port's support may enter the organization."),
		setting("support_user_ttl", lens.Enum("ONE_DAY", "ONE_WEEK", "ONE_MONTH", "FOREVER"), "How long they may.").At("supportUserTTL"),
		setting("support_user_expires_at", lens.String, "Time until which they may, in RFC 3339.").Check(timeCheck()),
		setting("port_agent_streamer_name", lens.String, "How agents in your network get their work: `KAFKA` or `POLLING`."),
		setting("include_blueprints_in_global_search_by_default", lens.Bool, "Whether the global search finds the entities of blueprints that do not say.").
			At("include_blueprints_in_global_search_by_default"),
	}
}

func timeCheck() lens.Check {
	return lens.Test("Invalid time", "", func(v tftypes.Value) string {
		if _, ok := jsonv.ParseTime(lens.AsText(v)); !ok {
			return "want a time such as 2030-01-31T12:00:00Z"
		}
		return ""
	})
}

func readOrganization(ctx context.Context, s *session, _ []string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"organization"}})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "organization")
}

// writeOrganization patches what changes; the answer holds nothing of it.
func writeOrganization(ctx context.Context, c *change) (jsonv.Object, error) {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodPatch, Path: []string{"organization"}, Body: differences(c.before, c.body), Repeat: portapi.RepeatSafe})
	if err != nil {
		return nil, err
	}
	return readOrganization(ctx, c.session, nil)
}

// differences is what of now is not in was: values that a plan only carries along
// are nobody's to send.
func differences(was, now jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for key, value := range now {
		old, had := was[key]
		if had && jsonv.Equal(old, value) {
			continue
		}
		before, objects := old.(jsonv.Object)
		if inner, ok := value.(jsonv.Object); ok && objects {
			value = differences(before, inner)
		}
		out[key] = value
	}
	return out
}

func leaveOrganization(context.Context, *change) error { return nil }
