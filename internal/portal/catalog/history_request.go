package catalog

import "github.com/portlens/terraform-provider-port/internal/jsonv"

// HistoryRequest is the body of POST /v1/entities/properties-history
// (reference/catalog.md §4.11). What happened to the properties is known to the
// records of changes, not here.
type HistoryRequest struct {
	Blueprint, Entity string
	Properties        []string
	Axis              TimeAxis
}

// ReadHistoryRequest checks a body.
func ReadHistoryRequest(body any) (HistoryRequest, error) {
	r := &reader{}
	in := r.body(body)
	if in == nil {
		return HistoryRequest{}, r.problems.Invalid()
	}
	r.closed(in, nil, "entityIdentifier", "blueprintIdentifier", "propertyNames", "timeInterval", "timeRange")
	out := HistoryRequest{
		Blueprint: r.needText(in, "blueprintIdentifier", 0),
		Entity:    r.needText(in, "entityIdentifier", 0),
		Axis:      r.timeAxis(in, false, true),
	}
	at := []string{"propertyNames"}
	list, ok := in["propertyNames"].([]any)
	if !ok {
		r.add(at, "want an array of property names")
	}
	out.Properties = jsonv.Strings(list)
	if len(out.Properties) != len(list) {
		r.add(at, "want nothing but property names")
	}
	return out, r.problems.Invalid()
}
