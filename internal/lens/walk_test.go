package lens_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// walked has every sort of part that shares keys with another or claims more
// than its own.
var walked = lens.MustCompile(lens.Field("m", lens.Map(lens.Object(
	lens.Field("a", lens.String, lens.Opt, "A."),
	lens.Field("b", lens.Int, lens.Opt, "B."),
	lens.Field("flag", lens.Bool, lens.Opt, "Flag.").Default(false),
	lens.Field("list", lens.List(lens.String), lens.Opt, "List.").At("items.list"),
	lens.OrJQ("either", lens.String, "Either."),
	lens.Field("texts", lens.List(lens.String), lens.Opt, "Texts.").At("many").Only(func(j any) bool { _, ok := j.([]any); return ok }),
	lens.Field("one", lens.String, lens.Opt, "One.").At("many").Only(func(j any) bool { _, ok := j.(string); return ok }),
	lens.Union("kind",
		lens.Case("x", "X", "X.", lens.Field("size", lens.Int, lens.Opt, "Size.")),
		lens.EmptyCase("y", "Y", "Y.")),
	lens.Const("version", "1"),
	lens.Owned("owned"),
	lens.AtMostOne("texts", "one"),
)), lens.Opt, "M."))

const walkedWire = `{"m":{"k":{"a":"t","flag":true,"items":{"list":["l"]},"either":{"jqQuery":"."},"many":["t"],"kind":"X","size":1,"version":"1"}}}`

func TestObjectsWithSharedKeysObeyTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, walked, lenstest.Wire(walkedWire), lenstest.Except("/m/*/version", "a constant is sent and not read"))
}

// Whatever the other keys are, a key that comes, goes or changes shows, and
// nulls and keys that nobody models do not.
func TestOnlyModelledKeysThatSaySomethingShow(t *testing.T) {
	t.Parallel()
	object := func(text string) lens.Body {
		body, err := jsonv.DecodeObject([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return lens.Body{"m": lens.Body{"k": body}}
	}
	base := `{"a":"t","flag":false,"kind":"X","version":"1"}`
	state, err := walked.Get(object(base), lens.Null(walked.Type()))
	if err != nil {
		t.Fatal(err)
	}
	for text, same := range map[string]bool{
		base:                   true,
		`{"a":"t","kind":"X"}`: true, // flag is false where it is absent
		`{"a":"t","flag":false,"kind":"X","version":"1","b":null}`:         true,
		`{"a":"t","flag":false,"kind":"X","version":"1","stray":1}`:        true,
		`{"a":"t","flag":false,"kind":"X","version":"2","owned":{}}`:       true,
		`{"a":"t","flag":false,"kind":"X","version":"1","b":1}`:            false,
		`{"a":"t","flag":false,"kind":"X","b":1}`:                          false,
		`{"a":"t","flag":false,"kind":"X","version":"1","stray":1,"b":1}`:  false,
		`{"b":1,"flag":false,"kind":"X","version":"1"}`:                    false,
		`{"flag":false,"kind":"X","version":"1"}`:                          false,
		`{"a":"u","flag":false,"kind":"X","version":"1"}`:                  false,
		`{"a":"t","flag":true,"kind":"X","version":"1"}`:                   false,
		`{"a":"t","flag":false,"kind":"Y","version":"1"}`:                  false,
		`{"a":"t","flag":false,"kind":"X","version":"1","size":0}`:         false,
		`{"a":"t","flag":false,"kind":"X","version":"1","many":"s"}`:       false,
		`{"a":"t","flag":false,"kind":"X","version":"1","either":"s"}`:     false,
		`{"a":"t","flag":false,"kind":"X","items":{"list":[]},"many":[]}`:  true, // empty where null was
		`{"a":"t","flag":false,"kind":"X","items":{"list":["l"]}}`:         false,
		`{"a":"t","flag":false,"kind":"X","version":"1","items":{"x":[]}}`: true,
	} {
		got, err := walked.Get(object(text), state)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if lens.Equal(got, state) != same {
			t.Errorf("%s: want the same value %t, got %s", text, same, got)
		}
	}
}

// Errors come in order of declaration, whatever was found first.
func TestEveryAttributeThatCannotBeSentIsReported(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(
		lens.Field("b", lens.Int, lens.Opt, "B."),
		lens.Field("c", lens.Int, lens.Opt, "C.").At("x.c"),
		lens.Field("a", lens.Int, lens.Opt, "A."))
	half := lens.Num("0.5")
	_, err := c.Put(tftypes.NewValue(c.Type(), lens.Obj{"a": half, "b": half, "c": half}), lens.Null(c.Type()))
	var got []string
	for _, e := range lens.AllErrors(err) {
		got = append(got, lens.PathString(e.Attr))
	}
	if diff := cmp.Diff([]string{"b", "c", "a"}, got); diff != "" {
		t.Error(diff)
	}
}

// Texts are kept while a body is made; they must not be mixed up.
func TestManyTextsOfABodyStayApart(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Field("m", lens.Map(lens.String), lens.Opt, "M."))
	texts, want := lens.Obj{}, lens.Body{}
	for i := range 2000 {
		s := fmt.Sprintf("%d", i*i)
		if i%7 == 0 {
			s = fmt.Sprintf("a text too long to be kept, %d", i%3)
		}
		texts[fmt.Sprint(i)], want[fmt.Sprint(i)] = lens.Str(s), s
	}
	texts["empty"], want["empty"] = lens.Str(""), ""
	m := tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, texts)
	got, err := c.Put(tftypes.NewValue(c.Type(), lens.Obj{"m": m}), lens.Null(c.Type()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lens.Body{"m": want}, got); diff != "" {
		t.Error(diff)
	}
}

// A bound on allocations holds on any machine, however busy. It is not parallel:
// they are counted for the whole process.
func TestRoundTripAllocatesLittle(t *testing.T) {
	body := bigBlueprint(t)
	state, err := blueprint.Get(body, lens.Null(blueprint.Type()))
	if err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(20, func() {
		if _, err := blueprint.Put(state, lens.Null(blueprint.Type())); err != nil {
			t.Error(err)
		}
		if again, err := blueprint.Get(body, state); err != nil || again.IsNull() {
			t.Error(again, err)
		}
	})
	if got > 400 {
		t.Errorf("a round trip of 60 properties makes %.0f allocations", got)
	}
}
