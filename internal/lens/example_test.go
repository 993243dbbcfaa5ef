package lens_test

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

func Example() {
	team := lens.MustCompile(
		lens.ID("ID of the resource.", "name"),
		lens.Field("name", lens.String, lens.Req, "Name of the team."),
		lens.Field("users", lens.Set(lens.String), lens.Opt, "E-mail addresses of the members.").OmitEmpty(),
		lens.OrJQ("visible", lens.Bool, "Whether the team is shown."),
	)
	state, err := team.Get(lens.Body{"name": "core", "users": []any{"b", "a"}, "visible": lens.Body{"jqQuery": ".x"}}, lens.Null(team.Type()))
	if err != nil {
		fmt.Println(err)
		return
	}
	attrs := lens.AsObj(state)
	fmt.Println(lens.AsText(attrs["id"]), len(lens.AsList(attrs["users"])), attrs["visible"].IsNull(), lens.AsText(attrs["visible_jq_query"]))
	body, err := team.Put(state, tftypes.Value{})
	fmt.Println(string(jsonv.Encode(body)), err)
	// Output:
	// core 2 true .x
	// {"name":"core","users":["a","b"],"visible":{"jqQuery":".x"}} <nil>
}
