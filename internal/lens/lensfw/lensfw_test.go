package lensfw_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lensfw"
)

var update = flag.Bool("update", false, "rewrite golden files")

// everything has an attribute of each kind, mode and nesting.
func everything() *lens.Codec {
	item := func() []lens.Part {
		return []lens.Part{
			lens.Field("name", lens.String, lens.Req, "Name."),
			lens.Field("many", lens.Bool, lens.Opt, "Many.").Default(false),
			lens.Field("count", lens.Int, lens.Opt, "Count.").Default(3),
		}
	}
	return lens.MustCompile(
		lens.ID("Same as name.", "name"),
		lens.Field("name", lens.String, lens.Req, "Name.").Replace(),
		lens.Field("mode", lens.Enum("a", "b"), lens.Opt, "Mode").Default("a"),
		lens.Field("old", lens.String, lens.Opt, "Old.").Deprecated("Use name."),
		lens.Field("secret", lens.String, lens.Opt, "Secret.").Sensitive(),
		lens.WriteOnly("key_wo", "Key."),
		lens.Field("generated", lens.String, lens.OptComputed, "Generated.").Keep(),
		lens.Field("flag", lens.Bool, lens.Opt, "Flag.").Default(true),
		lens.Field("whole", lens.Int, lens.Opt, "Whole.").Default(7).Check(lens.AtLeast(1)),
		lens.Field("double", lens.Float, lens.Opt, "Double.").Default(lens.Num("0.5")),
		lens.Field("decimal", lens.Decimal, lens.Opt, "Decimal.").Default(lens.Num("0.1")),
		lens.Field("texts", lens.List(lens.String), lens.Opt, "Texts.").Default([]string{"x"}),
		lens.Field("roles", lens.Set(lens.String), lens.Opt, "Roles.").Default([]string{}),
		lens.Field("colors", lens.Map(lens.String), lens.Opt, "Colours."),
		lens.Field("numbers", lens.List(lens.Float), lens.Opt, "Numbers."),
		lens.Field("lists", lens.Map(lens.List(lens.String)), lens.Opt, "Lists."),
		lens.Field("config", lens.JSONObject, lens.Opt, "Config."),
		lens.Field("kafka", lens.EmptyObject(), lens.Opt, "Kafka."),
		lens.Field("value", lens.Object(lens.Field("jq_query", lens.String, lens.Opt, "jq.")).Plain(), lens.Opt, "Value."),
		lens.Field("scores", lens.Map(lens.Object(lens.Field("level", lens.String, lens.Opt, "Level.")).Plain()), lens.Opt, "Scores."),
		lens.Field("one", lens.Object(item()...), lens.Opt, "One."),
		lens.Field("list", lens.List(lens.Object(item()...)), lens.Opt, "List."),
		lens.Field("set", lens.Set(lens.Object(item()...)), lens.Opt, "Set."),
		lens.Field("map", lens.Map(lens.Object(item()...)), lens.Opt, "Map."),
		lens.Field("node", lens.List(lens.Object(
			lens.Field("identifier", lens.String, lens.Req, "Identifier."),
			lens.Field("inner", lens.Object(item()...), lens.Opt, "Inner.").Block())), lens.Opt, "Node.").Block(),
		lens.Setting("force", lens.Bool, lens.Opt, "Force.").Default(false),
		lens.Audit(),
	)
}

func TestSchemasAreValidForTheFramework(t *testing.T) {
	t.Parallel()
	c := everything()
	s := lensfw.ResourceSchema(c.Attrs(), "Doc.")
	if d := s.ValidateImplementation(context.Background()); d.HasError() {
		t.Error(d)
	}
	if d := lensfw.DataSourceSchema(c.Attrs(), "Doc.", "name").ValidateImplementation(context.Background()); d.HasError() {
		t.Error(d)
	}
}

func TestSchemaHasTheCodecsType(t *testing.T) {
	t.Parallel()
	c := everything()
	got := lensfw.ResourceSchema(c.Attrs(), "").Type().TerraformType(context.Background())
	if !got.Equal(c.Type()) {
		t.Errorf("schema %s\ncodec  %s", got, c.Type())
	}
}

// row is what golden files keep of an attribute.
type row struct {
	Kind, Type string
	Flags      string         `json:",omitempty"`
	Doc        string         `json:",omitempty"`
	Nested     map[string]row `json:",omitempty"`
}

func TestEveryAttributeIsRenderedAsDeclared(t *testing.T) {
	t.Parallel()
	s := lensfw.ResourceSchema(everything().Attrs(), "")
	got, err := json.MarshalIndent(rows(t, s.Attributes, s.Blocks), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", "everything.json")
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func rows(t *testing.T, as map[string]schema.Attribute, bs map[string]schema.Block) map[string]row {
	t.Helper()
	out := map[string]row{}
	for name, a := range as {
		r := row{Kind: typeName(a), Type: a.GetType().TerraformType(context.Background()).String(), Doc: a.GetMarkdownDescription()}
		for flag, on := range map[string]bool{"R": a.IsRequired(), "O": a.IsOptional(), "C": a.IsComputed(), "S": a.IsSensitive(), "W": a.IsWriteOnly(), "D": a.GetDeprecationMessage() != ""} {
			if on {
				r.Flags += flag
			}
		}
		r.Flags = sortedText(r.Flags)
		if n, ok := a.(schema.NestedAttribute); ok {
			r.Nested = map[string]row{}
			for k, v := range n.GetNestedObject().GetAttributes() {
				if sub, ok := v.(schema.Attribute); ok {
					r.Nested[k] = rows(t, map[string]schema.Attribute{k: sub}, nil)[k]
				}
			}
		}
		out[name] = r
	}
	for name, b := range bs {
		out[name] = row{Kind: typeName(b), Type: b.Type().TerraformType(context.Background()).String(), Doc: b.GetMarkdownDescription()}
	}
	return out
}

func typeName(v any) string {
	switch v.(type) {
	case schema.StringAttribute:
		return "String"
	case schema.BoolAttribute:
		return "Bool"
	case schema.Int64Attribute:
		return "Int64"
	case schema.Float64Attribute:
		return "Float64"
	case schema.NumberAttribute:
		return "Number"
	case schema.ListAttribute:
		return "List"
	case schema.SetAttribute:
		return "Set"
	case schema.MapAttribute:
		return "Map"
	case schema.ObjectAttribute:
		return "Object"
	case schema.SingleNestedAttribute:
		return "SingleNested"
	case schema.ListNestedAttribute:
		return "ListNested"
	case schema.SetNestedAttribute:
		return "SetNested"
	case schema.MapNestedAttribute:
		return "MapNested"
	case schema.ListNestedBlock:
		return "ListBlock"
	case schema.SingleNestedBlock:
		return "SingleBlock"
	}
	return "?"
}

func sortedText(s string) string {
	b := []byte(s)
	for i := range b {
		for j := i + 1; j < len(b); j++ {
			if b[j] < b[i] {
				b[i], b[j] = b[j], b[i]
			}
		}
	}
	return string(b)
}

func TestDataSourceIsReadOnlyButForItsKey(t *testing.T) {
	t.Parallel()
	c := everything()
	s := lensfw.DataSourceSchema(c.Attrs(), "", "name")
	for name, a := range s.Attributes {
		if a.IsRequired() != (name == "name") || a.IsComputed() == (name == "name") || a.IsOptional() {
			t.Errorf("%s: required %v, optional %v, computed %v", name, a.IsRequired(), a.IsOptional(), a.IsComputed())
		}
	}
	for _, gone := range []string{"force", "key_wo", "key_wo_version"} {
		if _, ok := s.Attributes[gone]; ok {
			t.Errorf("%s is in the data source", gone)
		}
	}
	if _, ok := s.Attributes["node"].(dataschema.ListNestedAttribute); !ok {
		t.Errorf("node is a %T", s.Attributes["node"])
	}
	typ, ok := s.Type().TerraformType(context.Background()).(tftypes.Object)
	if !ok {
		t.Fatal("no object")
	}
	v, err := c.Get(lens.Body{"name": "x"}, lens.Null(c.Type()))
	if err != nil {
		t.Fatal(err)
	}
	small, err := lens.Project(v, typ)
	if err != nil {
		t.Fatal(err)
	}
	if !small.Type().Equal(typ) {
		t.Errorf("projected to %s", small.Type())
	}
}

func TestEphemeralResourcesTakeArgumentsAndComputeResults(t *testing.T) {
	t.Parallel()
	arguments := lens.MustCompile(lens.Field("name", lens.String, lens.Req, "Name."), lens.Field("secret", lens.String, lens.Opt, "Secret.").Sensitive(), lens.Field("force", lens.Bool, lens.Opt, "Force."))
	results := lens.MustCompile(lens.ReadOnly("token", lens.String, "Token.").Sensitive(), lens.ReadOnly("left", lens.Int, "Left."))
	s := lensfw.EphemeralSchema(arguments.Attrs(), results.Attrs(), "Doc.")
	if d := s.ValidateImplementation(context.Background()); d.HasError() {
		t.Error(d)
	}
	got := map[string]string{}
	for name, a := range s.Attributes {
		got[name] = fmt.Sprintf("%s %s", a.GetType().TerraformType(context.Background()), a.GetMarkdownDescription())
		for flag, set := range map[string]bool{" required": a.IsRequired(), " optional": a.IsOptional(), " computed": a.IsComputed(), " sensitive": a.IsSensitive()} {
			if set {
				got[name] = sortedWords(got[name] + flag)
			}
		}
	}
	want := map[string]string{
		"name": sortedWords("tftypes.String Name. required"), "secret": sortedWords("tftypes.String Secret. optional sensitive"), "force": sortedWords("tftypes.Bool Force. optional"),
		"token": sortedWords("tftypes.String Token. computed sensitive"), "left": sortedWords("tftypes.Number Left. computed"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func sortedWords(s string) string {
	words := strings.Fields(s)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// Numbers must not become float64 on their way through the framework.
func TestNumbersStayExactThroughTheFramework(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(
		lens.Field("d", lens.Float, lens.Opt, "D."),
		lens.Field("n", lens.List(lens.Float), lens.Opt, "N."),
		lens.Field("i", lens.Int, lens.Opt, "I."))
	s := lensfw.ResourceSchema(c.Attrs(), "")
	body := lens.Body{"d": json.Number("0.1"), "n": []any{json.Number("9007199254740993"), json.Number("0.1"), json.Number("1e21")}, "i": json.Number("9007199254740993")}
	v, err := c.Get(body, lens.Null(c.Type()))
	if err != nil {
		t.Fatal(err)
	}
	// Through the wire to Terraform and back, as at the end of a read.
	packed, err := tfprotov6.NewDynamicValue(c.Type(), v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := packed.Unmarshal(c.Type())
	if err != nil {
		t.Fatal(err)
	}
	typed, err := s.Type().ValueFromTerraform(context.Background(), back)
	if err != nil {
		t.Fatal(err)
	}
	again, err := typed.ToTerraformValue(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Put(again, lens.Null(c.Type()))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"d":0.1,"i":9007199254740993,"n":[9007199254740993,0.1,1000000000000000000000]}`
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}

func TestPathsBecomeTheFrameworks(t *testing.T) {
	t.Parallel()
	root := tftypes.NewAttributePath()
	for _, c := range []struct {
		path *tftypes.AttributePath
		want string
	}{
		{nil, ""},
		{root.WithAttributeName("a").WithElementKeyString("k").WithAttributeName("b").WithElementKeyInt(2), `a["k"].b[2]`},
		{root.WithAttributeName("s").WithElementKeyValue(lens.Str("x")), `s[Value("x")]`},
		{root.WithAttributeName("s").WithElementKeyValue(lens.Flag(true)).WithAttributeName("b"), `s`},
	} {
		if got := lensfw.Path(c.path).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.path, got, c.want)
		}
	}
}

func TestFindingsBecomeDiagnostics(t *testing.T) {
	t.Parallel()
	got := lensfw.Diagnostics([]lens.Problem{
		{Path: tftypes.NewAttributePath().WithAttributeName("a"), Summary: "S", Detail: "D"},
		{Warning: true, Summary: "W", Detail: "E"},
	})
	if got.ErrorsCount() != 1 || got.WarningsCount() != 1 || got[0].Summary() != "S" || got[1].Detail() != "E" {
		t.Error(got)
	}
}
