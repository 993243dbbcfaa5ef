package query_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

func nested(levels int) string {
	return strings.Repeat(`{"combinator":"and","rules":[`, levels) + strings.Repeat(`]}`, levels)
}

func TestQueriesNest32LevelsDeep(t *testing.T) {
	t.Parallel()
	parse(t, nested(32), query.CatalogWide)
	if _, err := query.Parse(decode(t, nested(33)), query.Options{}); err == nil {
		t.Error("33 levels are accepted")
	}
}

// Every query here is refused at exactly these places.
func TestWhatDoesNotFitIsRefusedAtItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scope query.Scope
		text  string
		paths []string
	}{
		{query.CatalogWide, `[]`, []string{""}},
		{query.CatalogWide, `null`, []string{""}},
		{query.CatalogWide, `{}`, []string{"/combinator", "/rules"}},
		{query.CatalogWide, `{"combinator":"AND","rules":{}}`, []string{"/combinator", "/rules"}},
		{query.CatalogWide, `{"combinator":"and","rules":[],"x":1,"not":"yes"}`, []string{"/not", "/x"}},
		{query.CatalogWide, rule(`5`), []string{"/rules/0"}},
		{query.CatalogWide, rule(`{}`), []string{"/rules/0/operator"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"like","value":1}`), []string{"/rules/0/operator"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"="}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"operator":"=","value":1}`), []string{"/rules/0/property"}},
		{query.CatalogWide, rule(`{"property":5,"operator":"=","value":1}`), []string{"/rules/0/property"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"=","value":1,"x":2}`), []string{"/rules/0/x"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"=","value":{"a":1}}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"=","value":{"jqQuery":"."}}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"in","value":[[1]]}`), []string{"/rules/0/value/0"}},
		{query.CatalogWide, rule(`{"property":"a","operator":">","value":"x"}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":">","value":null}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":">","value":{"preset":"today"}}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"between","value":5}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"between","value":{"from":"2024-01-01"}}`), []string{"/rules/0/value/from", "/rules/0/value/to"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"between","value":{"preset":"lastCentury"}}`), []string{"/rules/0/value/preset"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"between","value":{"preset":"today","x":1}}`), []string{"/rules/0/value/x"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"!=","value":{"preset":"today"}}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"isExpired","value":1}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":{"context":"org","property":"a"},"operator":"=","value":1}`), []string{"/rules/0/property/context"}},
		{query.CatalogWide, rule(`{"property":{"context":"user"},"operator":"=","value":1}`), []string{"/rules/0/property/property"}},
		{query.CatalogWide, rule(`{"property":"a","operator":"=","value":{"context":"user","property":5}}`), []string{"/rules/0/value/property"}},
		{query.CatalogWide, rule(`{"operator":"relatedTo"}`), []string{"/rules/0/blueprint", "/rules/0/value"}},
		{query.CatalogWide, rule(`{"operator":"relatedTo","blueprint":"a","value":[1],"direction":"up","required":"x","y":1}`), []string{"/rules/0/direction", "/rules/0/required", "/rules/0/value/0", "/rules/0/y"}},
		{query.CatalogWide, rule(`{"propertySchema":{"format":"url"},"operator":"=","value":"x"}`), []string{"/rules/0/propertySchema/type"}},
		{query.CatalogWide, rule(`{"propertySchema":{"type":"text"},"operator":"=","value":"x"}`), []string{"/rules/0/propertySchema/type"}},
		{query.CatalogWide, rule(`{"propertySchema":{"type":"string"},"operator":"="}`), []string{"/rules/0/value"}},
		{query.CatalogWide, rule(`{"propertySchema":{"type":"array","items":{"x":1}},"operator":"=","value":["a"]}`), []string{"/rules/0/propertySchema/items/type", "/rules/0/propertySchema/items/x", "/rules/0/value"}},
		{query.CatalogWide, rule(`{"property":{"path":[]},"operator":"matchAny","value":"a"}`), []string{"/rules/0/property/path"}},
		{query.CatalogWide, rule(`{"property":{"path":["a",{"relation":"b","maxHops":16}]},"operator":"matchAny","value":"a"}`), []string{"/rules/0/property/path/1/maxHops"}},
		{query.CatalogWide, rule(`{"property":{"path":[{"relation":"b","maxHops":1},{"relation":"b","maxHops":1}]},"operator":"matchAny","value":"a"}`), []string{"/rules/0/property/path/1"}},
		{query.CatalogWide, rule(`{"property":{"path":[{"relation":"b"},5],"y":1},"operator":"=","value":"a"}`), []string{"/rules/0/operator", "/rules/0/property/path/1", "/rules/0/property/y"}},
		{query.CatalogWide, rule(`{"property":{"path":["a"]},"operator":"matchAny","value":[5]}`), []string{"/rules/0/value/0"}},
		{query.CatalogWide, rule(`{"relation":"a","operator":"=","value":"x"}`), []string{"/rules/0/relation"}},
		{query.CatalogWide, rule(`{"scorecard":"a","operator":"=","value":"x"}`), []string{"/rules/0/scorecard"}},
		{query.OneBlueprint, rule(`{"property":"a","operator":"matchAny","value":"x"}`), []string{"/rules/0/property"}},
		{query.OneBlueprint, rule(`{"property":"a","operator":"in","value":[1,"x",true]}`), []string{"/rules/0/value/0", "/rules/0/value/2"}},
		{query.OneBlueprint, rule(`{"relation":"a","operator":">","value":5}`), []string{"/rules/0/operator"}},
		{query.OneBlueprint, rule(`{"relation":"a","targetProperty":"x","operator":"=","value":"x"}`), []string{"/rules/0/targetProperty"}},
		{query.OneBlueprint, rule(`{"relation":"a","operator":"="}`), []string{"/rules/0/value"}},
		{query.OneBlueprint, rule(`{"scorecardRule":"a","operator":"=","value":"x"}`), []string{"/rules/0/scorecard"}},
		{query.OneBlueprint, rule(`{"scorecard":"a","operator":"between","value":{"preset":"today"}}`), []string{"/rules/0/operator"}},
		{query.Selector, rule(`{"property":"a","operator":"!=","value":"x"}`), []string{"/rules/0/operator"}},
		{query.Selector, rule(`{"property":"a","operator":"=","value":["x"]}`), []string{"/rules/0/value"}},
		{query.Selector, rule(`{"property":"a","operator":"=","value":true}`), []string{"/rules/0/value"}},
		{query.Selector, rule(`{"property":"a","operator":"in","value":"x"}`), []string{"/rules/0/value"}},
		{query.Selector, rule(`{"property":"a","operator":"in","value":[1]}`), []string{"/rules/0/value/0"}},
		{query.Selector, rule(`{"property":"a","operator":"contains","value":5}`), []string{"/rules/0/value"}},
		{query.Selector, rule(`{"property":{"context":"user","property":"a"},"operator":"=","value":"x"}`), []string{"/rules/0/property"}},
		{query.Selector, rule(`{"operator":"relatedTo","blueprint":"a","value":"b"}`), []string{"/rules/0/operator"}},
		{query.IdentifierSelector, rule(`{"property":"a","operator":"contains","value":"x"}`), []string{"/rules/0/operator"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			_, err := query.Parse(decode(t, c.text), query.Options{Scope: c.scope, At: []string{"query"}})
			var f *fault.Fault
			if !errors.As(err, &f) {
				t.Fatalf("accepted: %v", err)
			}
			if f.Status != 422 || f.Code != "invalid_request" {
				t.Errorf("%d %s", f.Status, f.Code)
			}
			var paths []string
			for _, e := range jsonv.List(f.Details, "errors") {
				paths = append(paths, strings.TrimPrefix(jsonv.String(e, "path"), "/query"))
				if jsonv.String(e, "message") == "" {
					t.Error("a problem without a message")
				}
			}
			slices.Sort(paths)
			if diff := cmp.Diff(c.paths, paths); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryPublishedShapeIsAccepted(t *testing.T) {
	t.Parallel()
	both := []string{
		`{"property":"a","operator":"=","value":null}`,
		`{"property":"a","operator":"=","value":true}`,
		`{"property":"a","operator":"in","value":["a",null]}`,
		`{"property":"a","operator":">","value":"2024-01-01T00:00:00Z"}`,
		`{"property":"a","operator":">=","value":{"context":"user","property":"age"}}`,
		`{"property":"a","operator":"between","value":{"context":"user","property":"range"}}`,
		`{"property":"a","operator":"isEmpty","value":null}`,
		`{"property":{"context":"userTeams","property":"$identifier"},"operator":"containsAny","value":["a"]}`,
		`{"operator":"relatedTo","blueprint":"a","value":"b","direction":"upstream","required":false}`,
		`{"propertySchema":{"type":"array","items":{"type":"string","format":"url"}},"operator":"contains","value":"x"}`,
		`{"propertySchema":{"type":"string"},"operator":"isNotEmpty"}`,
		`{"propertySchema":{"type":"string"},"operator":"beginsWith","value":"x"}`,
		`{"property":{"path":["a","$team",{"relation":"parent","maxHops":15}],"fromBlueprint":"b"},"operator":"matchAny","value":{"context":"user","property":"$identifier"}}`,
	}
	for scope, texts := range map[query.Scope][]string{
		query.CatalogWide: append(slices.Clone(both),
			`{"property":"a","operator":"matchAny","value":["a"]}`,
			`{"property":"a","operator":"containsAny","value":[1,true,"x","2024-01-01T00:00:00Z"]}`),
		query.OneBlueprint: append(slices.Clone(both),
			`{"relation":"a","operator":"=","value":"b"}`,
			`{"relation":"a","targetProperty":"$title","operator":"contains","value":"b"}`,
			`{"relation":"a","operator":"isEmpty"}`,
			`{"scorecard":"a","operator":"in","value":["Gold"]}`,
			`{"scorecard":"a","scorecardRule":"b","operator":"=","value":"SUCCESS"}`,
			`{"scorecard":"a","scorecardRule":"b","operator":"isNotEmpty"}`,
			`{"scorecard":"a","operator":"isEmpty"}`),
		query.Selector: {
			`{"property":"a","operator":"=","value":5}`, `{"property":"a","operator":"=","value":null}`,
			`{"property":"a","operator":"in","value":["x"]}`, `{"property":"a","operator":"containsAny","value":["x"]}`,
			`{"property":"a","operator":"contains","value":"x"}`, `{"property":"a","operator":"contains","value":["x"]}`,
			`{"property":"a","operator":"contains","value":null}`, rule(`{"property":"a","operator":"=","value":"x"}`),
		},
		query.IdentifierSelector: {`{"property":"a","operator":"=","value":"x"}`, `{"property":"a","operator":"in","value":["x"]}`},
	} {
		for _, text := range texts {
			if _, err := query.Parse(decode(t, rule(text)), query.Options{Scope: scope}); err != nil {
				t.Errorf("%d %s: %v", scope, text, err)
			}
		}
	}
}
