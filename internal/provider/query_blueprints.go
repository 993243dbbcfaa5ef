package provider

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// blueprintsQuery is the data source port_blueprints.
func blueprintsQuery() *Query {
	return &Query{
		Name: "blueprints",
		Doc:  "Blueprints of the account, all of them or some.",
		Args: []lens.Part{
			lens.Field("identifiers", lens.List(lens.String), lens.Opt, "Identifiers of the blueprints to read; those that do not exist are left out. Left out, all are read."),
			lens.Field("exclude_system", lens.Bool, lens.Opt, "Whether system blueprints, whose identifiers begin with an underscore, are left out."),
		},
		List: "blueprints", ListDoc: "Blueprints found, the oldest first.",
		Element: append([]lens.Part{lens.ID("ID of the blueprint, the same as its identifier.", "identifier")}, blueprintDeclaration().Parts...),
		Run:     runBlueprints,
	}
}

func runBlueprints(ctx context.Context, q *question) (*findings, error) {
	answer, err := q.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"blueprints"}})
	if err != nil {
		return nil, err
	}
	wanted := jsonv.Strings(jsonv.List(q.body, "identifiers"))
	some := !lens.Nothing(q.args["identifiers"])
	found := &findings{}
	for _, b := range jsonv.List(answer, "blueprints") {
		blueprint, ok := b.(jsonv.Object)
		if !ok {
			return nil, fmt.Errorf("want a list of blueprints, got %s in it", jsonv.KindOf(b))
		}
		id := jsonv.String(blueprint, "identifier")
		if some && !slices.Contains(wanted, id) || jsonv.Bool(q.body, "excludeSystem") && strings.HasPrefix(id, systemPrefix) {
			continue
		}
		found.elements = append(found.elements, blueprint)
	}
	return found, nil
}
