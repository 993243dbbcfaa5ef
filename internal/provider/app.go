package provider

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// port_app is a set of credentials of the organization, reference/identity.md §1.6.

func appDeclaration() *Declaration {
	return &Declaration{
		Name: "app",
		Doc: "Credentials of the organization: a client ID and a client secret that are exchanged for access tokens. " +
			"The state holds the secret unless `store_credentials` is `false`. An import takes the client ID, or the name where only one has it.",
		Key:      []string{"client_id"},
		ImportID: "<client_id> or <name>",
		API: API{
			Read: readApp, Create: createApp, Update: updateApp, Delete: deleteApp, SplitID: findApp, Decode: decodeApp, Amend: amendApp, Anew: appAnew,
		},
		Parts: []lens.Part{
			lens.Field("name", lens.String, lens.Req, "Name of the credentials. It need not be unique.").ReadsAs(""),
			lens.Setting("rotation", lens.String, lens.Opt, "Any text, such as a date: another one makes a new secret. The old one and the tokens got with it end at once.").Trigger(),
			lens.Setting("store_credentials", lens.Bool, lens.Opt, "Whether the state holds `client_secret`. If not, it can be read in Port.").Default(true).Trigger(),
			lens.ReadOnly("client_id", lens.String, "Client ID.").At("id").Keep(),
			lens.ReadOnly("client_secret", lens.String, "Client secret; null with `store_credentials = false`.").At("secret").Sensitive(),
			lens.ReadOnly("enabled", lens.Bool, "Whether the credentials are accepted."),
			lens.ReadOnly("created_at", lens.Stamp, "Time the credentials were made.").Keep(),
			lens.ReadOnly("updated_at", lens.Stamp, "Time of the last change.").Volatile(),
		},
	}
}

func listApps(ctx context.Context, s *session) ([]any, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"apps"}})
	return jsonv.List(answer, "apps"), err
}

func readApp(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	apps, err := listApps(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, app := range apps {
		if found, ok := app.(jsonv.Object); ok && jsonv.String(found, "id") == key[0] {
			return found, nil
		}
	}
	return nil, portapi.NotFound(fmt.Sprintf("There are no credentials with the client ID %s", key[0]))
}

// findApp finds the client ID of an import.
func findApp(ctx context.Context, s *session, id string) ([]string, error) {
	apps, err := listApps(ctx, s)
	if err != nil {
		return nil, err
	}
	var named []string
	for _, app := range apps {
		switch client := jsonv.String(app, "id"); {
		case client == id:
			return []string{id}, nil
		case jsonv.String(app, "name") == id:
			named = append(named, client)
		}
	}
	if len(named) > 1 {
		return nil, fmt.Errorf("%d credentials are named %q: give the client ID instead", len(named), id)
	}
	return append(named, id)[:1], nil
}

func callApp(ctx context.Context, c *change, op portapi.Op) (jsonv.Object, error) {
	answer, err := c.api.Call(ctx, op)
	if err != nil {
		return nil, err
	}
	app, err := envelope(answer, "app")
	if err != nil {
		return nil, err
	}
	return visible(app, c.plan), nil
}

func createApp(ctx context.Context, c *change) (jsonv.Object, error) {
	return callApp(ctx, c, portapi.Op{Method: http.MethodPost, Path: []string{"apps"}, Body: c.body, Repeat: portapi.RepeatNever})
}

// updateApp renames before it rotates: a new secret that a later failure loses is
// worse than an old name.
func updateApp(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.was[0]
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	var app jsonv.Object
	var err error
	if !was["name"].Equal(now["name"]) {
		if app, err = callApp(ctx, c, portapi.Op{Method: http.MethodPut, Path: []string{"apps", id}, Body: c.body, Repeat: portapi.RepeatSafe}); err != nil {
			return nil, err
		}
	}
	if rotates(was, now) {
		app, err = callApp(ctx, c, portapi.Op{Method: http.MethodPost, Path: []string{"apps", id, "rotate-secret"}, Repeat: portapi.RepeatNever})
	}
	if app != nil || err != nil {
		return app, err
	}
	if app, err = readApp(ctx, c.session, c.was); err != nil {
		return nil, err
	}
	return visible(app, c.plan), nil
}

func rotates(was, now lens.Obj) bool {
	return !now["rotation"].IsNull() && !was["rotation"].Equal(now["rotation"])
}

// withholds reports whether a state is not to hold credentials.
func withholds(now lens.Obj) bool {
	stores := now["store_credentials"]
	return lens.Known(stores) && !lens.AsBool(stores)
}

// withheld plans attributes to be null where the state is not to hold them: who
// reads the plan is not told of a value to come.
func withheld(planned tftypes.Value, names ...string) tftypes.Value {
	if !withholds(lens.AsObj(planned)) {
		return planned
	}
	none := lens.Obj{}
	for _, name := range names {
		none[name] = tftypes.NewValue(tftypes.String, nil)
	}
	return with(planned, none)
}

func amendApp(_, _, planned tftypes.Value) tftypes.Value { return withheld(planned, "client_secret") }

// appAnew names what an update gives a new value besides what always changes.
func appAnew(was, now lens.Obj) []string {
	if withholds(now) {
		return nil
	}
	if rotates(was, now) || !was["store_credentials"].Equal(now["store_credentials"]) {
		return []string{"client_secret"}
	}
	return nil
}

func deleteApp(ctx context.Context, c *change) error {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: []string{"apps", c.was[0]}})
	return err
}

// visible is the document without what the state is not to hold.
func visible(app jsonv.Object, state tftypes.Value) jsonv.Object {
	if lens.AsBool(lens.AsObj(state)["store_credentials"]) {
		return app
	}
	out := jsonv.CloneObject(app)
	delete(out, "secret")
	return out
}

// decodeApp leaves the secret out of a state that is not to hold it; on an import
// nobody has said yet.
func decodeApp(_ context.Context, _ *session, body jsonv.Object, prior tftypes.Value) *decoding {
	return &decoding{document: visible(body, prior)}
}
