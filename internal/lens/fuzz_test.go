package lens_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// fuzz feeds bodies of arbitrary JSON to a codec, over no prior value and over
// that of the sample.
func fuzz(f *testing.F, codec *lens.Codec, sample string) {
	f.Helper()
	body, err := jsonv.DecodeObject([]byte(sample))
	if err != nil {
		f.Fatal(err)
	}
	prior, err := codec.Get(body, lens.Null(codec.Type()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(sample))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"identifier":1e400,"title":[[]],"properties":{"a":null},"schema":{"properties":{"a":{"type":"array","items":5}}},"relations":{"r":{}}}`))
	f.Add([]byte(`{"schema":[],"properties":[],"relations":"x","team":{"a":1},"createdAt":7}`))
	f.Add([]byte(`{"schema":{"properties":{"n":{"type":"number","default":1e999999,"enum":[-0,0.0,1E5]},"o":{"type":"object","default":[]}},"required":{"jqQuery":"."}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, p := range []tftypes.Value{lens.Null(codec.Type()), prior} {
			if broken := lenstest.Survives(codec, p, text); broken != "" {
				t.Fatal(broken)
			}
		}
	})
}

func FuzzBlueprint(f *testing.F) { fuzz(f, blueprint, blueprintWire) }

func FuzzEntity(f *testing.F) { fuzz(f, entity, entityWire) }

func FuzzAction(f *testing.F) {
	fuzz(f, action, `{"identifier":"a","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{"s":{"type":"string",
	 "visible":{"jqQuery":"."},"dataset":{"combinator":"and","rules":[{"combinator":"or","rules":[{"value":1}]}]}}},"required":["s"]}},
	 "invocationMethod":{"type":"WEBHOOK","url":"u","agent":"{{x}}"}}`)
}

func FuzzAssorted(f *testing.F) {
	fuzz(f, assorted, `{"name":"n","users":["a"],"roles":["x"],"relations":{"b":{"combinator":"and","rules":[]}},"teams":[{"name":"a"}],"calculationSpec":{"func":"sum","calculationBy":"property","property":"p"}}`)
}

// JSON text in an attribute is arbitrary too: it comes from users.
func FuzzJSONText(f *testing.F) {
	c := lens.MustCompile(lens.Field("j", lens.JSON, lens.Opt, "J."), lens.Field("o", lens.JSONObject.BlankOmits().EmptyOmits(), lens.Opt, "O."),
		lens.Field("t", lens.TextOrJSON("a"), lens.Opt, "T."))
	for _, seed := range []string{`{"a":1.0,"b":"\u003c"}`, `{ }`, ``, ` null `, `[1e5]`, `{"a":`, "\xff", `"\ud800"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := tftypes.NewValue(c.Type(), lens.Obj{"j": lens.Str(text), "o": lens.Str(text), "t": lens.Str(text)})
		refused := len(c.Problems(v)) > 0
		body, err := c.Put(v, lens.Null(c.Type()))
		if err != nil {
			if !refused {
				t.Fatalf("%q passes the checks and cannot be sent: %v", text, err)
			}
			return
		}
		answer, err := jsonv.DecodeObject(jsonv.Encode(body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Get(answer, v); err != nil || !lens.Equal(got, v) {
			t.Fatalf("%q does not stay as it is: %s %v", text, got, err)
		}
	})
}
