package provider

import (
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// aggregationDeclaration is port_aggregation_properties,
// reference/provider-catalog.md §6.
func aggregationDeclaration() *Declaration {
	properties := lens.Map(aggregation())
	none := tftypes.NewValue(properties.Type(), map[string]tftypes.Value{})
	return &Declaration{
		Name: "aggregation_properties",
		Doc: "All aggregation properties of one blueprint: values computed from related entities, such as how many there are or the sum of one of their properties. " +
			"They are a resource of their own because they may refer to blueprints that refer back. " +
			"Destroying it removes the properties from the blueprint.",
		DataDoc: "Aggregation properties of a blueprint that exists in the account.",
		Key:     []string{"blueprint_identifier"},
		API: API{
			Read: readBlueprint, Create: createAggregations, Update: updateAggregations, Delete: deleteAggregations,
			Decode: decodeAggregations, Plan: planAggregations,
		},
		Parts: []lens.Part{
			lens.Field("blueprint_identifier", lens.String, lens.Req, "Identifier of the blueprint that has the properties.").At("identifier").
				Check(notEmpty()).Replace(),
			lens.Field("properties", properties, lens.Req, "Aggregation properties of the blueprint, by key. Together they are all it has: any other is removed.").
				At("aggregationProperties").ReadsAs(none).Check(keysCheck()),
		},
	}
}

// aggregation is the codec of one aggregation property. Its type, which is
// always number, has no attribute: whatever Port holds stays.
func aggregation() lens.Kind {
	return lens.Object(
		lens.Field("title", lens.String, lens.Opt, "Title shown to people."),
		lens.Field("icon", lens.String, lens.Opt, "Icon of the property."),
		lens.Field("description", lens.String, lens.Opt, "Description of the property."),
		lens.Field("target_blueprint_identifier", lens.String, lens.Req, "Identifier of the blueprint whose entities are aggregated.").At("target").Check(notEmpty()),
		lens.Field("method", lens.Object(aggregationMethod()), lens.Req, "How the value is computed. Exactly one member is set.").At("calculationSpec"),
		lens.Field("query", lens.JSONObject.BlankOmits(), lens.Opt, "Search query that target entities must match to count, with `combinator` and `rules`.").Check(queryCheck()),
		lens.Field("path_filter", lens.List(lens.Object(
			lens.Field("from_blueprint", lens.String, lens.Opt, "Identifier of the target blueprint, when the path leads from there to this one; left out, it leads from this one to the target.").OmitEmpty(),
			lens.Field("path", lens.List(lens.String), lens.Req, "Relations to follow, in order.").Check(lens.Size(1, -1)),
		)), lens.Opt, "Relations by which target entities are reached; left out, every way counts.").OmitEmpty().Check(lens.Size(0, 1)),
		lens.Owned("type"),
	)
}

func aggregationMethod() lens.Part {
	units := []string{"hour", "day", "week", "month"}
	measure := "Time by which entities are spread over the intervals: `$createdAt`, `$updatedAt` or a date property of the target."
	return lens.Union("func",
		lens.FlagCase("count_entities", "count", "Counts the entities.").And("calculationBy", "entities"),
		lens.Case("average_entities", "average", "Counts the entities per interval of time.",
			lens.Field("average_of", lens.Enum(units...), lens.Opt, "Length of the interval.").Default("day"),
			lens.Field("measure_time_by", lens.String, lens.Opt, measure).Default("$createdAt"),
		).And("calculationBy", "entities"),
		lens.Case("average_by_property", "average", "Averages a number property, per interval of time or over the entities.",
			lens.Field("average_of", lens.Enum(append(units, "total")...), lens.Req, "Length of the interval; `total` divides by the number of entities."),
			lens.Field("measure_time_by", lens.String, lens.Req, measure),
			lens.Field("property", lens.String, lens.Req, "Number property of the target to average.").Check(notEmpty()),
		).And("calculationBy", "property"),
		lens.Case("aggregate_by_property", nil, "Computes one number of all values of a number property.",
			lens.Field("func", lens.Enum("sum", "min", "max", "median"), lens.Req, "What to compute."),
			lens.Field("property", lens.String, lens.Req, "Number property of the target to compute it of.").Check(notEmpty()),
		).And("calculationBy", "property").When(func(spec lens.Body) bool {
			function := jsonv.String(spec, "func")
			return jsonv.String(spec, "calculationBy") == "property" && function != "" && function != "average"
		}),
	).Required()
}

// queryCheck warns of a JSON object that is no search query
// (reference/catalog.md §2.9 A3); the codec refuses what is no object.
func queryCheck() lens.Check {
	return lens.Warn(lens.Test("Not a search query", "", func(v tftypes.Value) string {
		query, err := jsonv.DecodeObject([]byte(lens.AsText(v)))
		if err != nil {
			return ""
		}
		if c := jsonv.String(query, "combinator"); c != "and" && c != "or" {
			return "a search query has a combinator, which is \"and\" or \"or\""
		}
		if _, ok := query["rules"].([]any); !ok {
			return "a search query has a list of rules"
		}
		return ""
	}))
}
