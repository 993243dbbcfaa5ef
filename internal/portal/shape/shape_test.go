package shape_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

var takes = shape.Takes{
	"any": shape.Anything, "text": shape.Text, "filled": shape.Filled, "short": shape.Length(2, 3), "flag": shape.Boolean, "uri": shape.URI,
	"number": shape.Integer(1, 10), "object": shape.Mapping, "map": shape.MapOf(shape.Text), "list": shape.List,
	"texts": shape.Texts, "some": shape.NotEmpty(shape.Texts), "few": shape.NotEmpty(shape.MapOf(shape.Text)),
	"either": shape.TextOrTexts, "json": shape.ObjectOrArray, "enum": shape.OneOf("a", "b"), "null": shape.OrNull(shape.Text),
	"closed": shape.Closed(shape.Takes{"a": shape.Text}, "a"), "open": shape.Open(shape.Takes{"a": shape.Text}, "a"),
}

func TestBodiesAreTakenOrRefusedWithEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"any":[null],"text":"","filled":"x","short":"äöü","flag":false,"number":1e1,"object":{},"map":{"a":""},"list":[1],"need":1}`: nil,
		`{"texts":[],"some":["a"],"few":{"a":"b"},"either":"a","uri":"mailto:a@b.c","json":[],"enum":"b","null":null,"need":1}`:        nil,
		`{"either":["a"],"json":{},"null":"a","closed":{"a":""},"open":{"a":"","b":1},"need":null}`:                                    nil,
		`[]`:   {" type"},
		`null`: {" type"},
		`{}`:   {"/need required"},
		`{"text":1,"filled":"","short":"a","flag":"true","number":0,"need":1}`:            {"/filled minLength", "/flag type", "/number minimum", "/short minLength", "/text type"},
		`{"short":"aaaa","number":11,"object":[],"map":{"a":1,"b":"","c":null},"need":1}`: {"/map/a type", "/map/c type", "/number maximum", "/object type", "/short maxLength"},
		`{"uri":"here","need":1}`: {"/uri format"},
		`{"uri":1,"need":1}`:      {"/uri type"},
		`{"number":1.5,"list":{},"texts":["a",1,"b",{}],"need":1}`:                {"/list type", "/number type", "/texts/1 type", "/texts/3 type"},
		`{"some":[],"few":{},"either":1,"json":"x","enum":"c","null":1,"need":1}`: {"/either type", "/enum enum", "/few minProperties", "/json type", "/null type", "/some minItems"},
		`{"some":"x","few":[1],"enum":1,"either":["a",null],"need":1}`:            {"/either/1 type", "/enum enum", "/few type", "/some type"},
		`{"closed":{"b~/":1},"open":{"b":1},"extra":1,"need":1}`:                  {"/closed/a required", "/closed/b~0~1 additionalProperties", "/extra additionalProperties", "/open/a required"},
	} {
		v, err := jsonv.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		whole := shape.Takes{"need": nil}
		for key, look := range takes {
			whole[key] = look
		}
		o, err := shape.Body(v, whole, "need")
		if want == nil && (err != nil || o == nil) {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(want, problems(err)); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func problems(err error) (out []string) {
	var f *fault.Fault
	if errors.As(err, &f) {
		for _, e := range jsonv.List(map[string]any(f.Details), "errors") {
			out = append(out, jsonv.String(e, "path")+" "+jsonv.String(e, "keyword"))
		}
	}
	return out
}
