package provider

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Rules of the catalog that need no server: grammar of identifiers and keys
// (reference/catalog.md §1.3), colours (§2.5), patterns (§2.3).
var (
	mirrorPath  = regexp.MustCompile(`^(?:[A-Za-z0-9@_=$-]+\.)+[^.\s]+$`)
	propertyKey = regexp.MustCompile(`^[A-Za-z0-9@_=\\-]+$`)

	colours = []string{
		"blue", "turquoise", "orange", "purple", "pink", "yellow", "green", "red", "gold", "silver",
		"paleBlue", "darkGray", "lightGray", "bronze", "lime", "olive", "brown",
	}
)

// identifierCheck is the grammar of blueprint identifiers, with also for the
// characters entities may use on top.
func identifierCheck(also string, most int) lens.Check {
	grammar := regexp.MustCompile(`^[\p{L}0-9@_.+:\\/` + also + `-]+$`)
	say := fmt.Sprintf("letters, digits and any of `@ _ . + : \\ / %s-`, at most %d characters, and neither `.` nor `..`", spaced(also), most)
	return lens.Test("Invalid identifier", say, func(v tftypes.Value) string {
		s := lens.AsText(v)
		if s != "." && s != ".." && utf8.RuneCountInString(s) <= most && grammar.MatchString(s) {
			return ""
		}
		return fmt.Sprintf("want %s; got %q", say, s)
	})
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return s + " "
}

// keysCheck is the grammar of the keys of relations and the like.
func keysCheck() lens.Check {
	return lens.Test("Invalid key", "", func(v tftypes.Value) string {
		for _, key := range slices.Sorted(maps.Keys(lens.AsObj(v))) {
			if wrong := wrongKey(key); wrong != "" {
				return wrong
			}
		}
		return ""
	})
}

func wrongKey(key string) string {
	if key != "" && len(key) <= 100 && propertyKey.MatchString(key) {
		return ""
	}
	return fmt.Sprintf("key %q: want letters A to Z, digits and any of @ _ = \\ -, at most 100 characters", key)
}

// patternCheck wants a regular expression in the dialect of the API, ECMAScript.
func patternCheck() lens.Check {
	return lens.Test("Invalid regular expression", "regular expression in the ECMAScript dialect", func(v tftypes.Value) string {
		if _, err := regexp2.Compile(lens.AsText(v), regexp2.ECMAScript|regexp2.Unicode); err != nil {
			return strings.TrimSuffix(err.Error(), ".")
		}
		return ""
	})
}

// jqCheck warns of a program that our jq does not understand; the service's own
// dialect accepts a little more.
func jqCheck() lens.Check {
	return lens.Warn(lens.Test("This jq program may not work", "", func(v tftypes.Value) string {
		if err := jq.Check(straightQuotes(lens.AsText(v))); err != nil {
			return "the program does not parse here: " + err.Error() + ". If Port does not understand it either, the value will be null"
		}
		return ""
	}))
}

// straightQuotes rewrites single quotes used as string delimiters, as Port does
// before it compiles (reference/catalog.md §2.8 K5).
func straightQuotes(program string) string {
	runes := []rune(program)
	space := func(i int) bool { return strings.ContainsRune(" \t\r\n", runes[i]) }
	for i, r := range runes {
		if r != '\'' {
			continue
		}
		first, last := i == 0, i == len(runes)-1
		opens := (first || space(i-1)) && !last && !space(i+1) && runes[i+1] != '"'
		closes := (last || space(i+1)) && !first && !space(i-1) && runes[i-1] != '"'
		if opens || closes {
			runes[i] = '"'
		}
	}
	return string(runes)
}

// checkBlueprint finds what is wrong between the attributes of a blueprint.
func checkBlueprint(config tftypes.Value) []lens.Problem {
	var out []lens.Problem
	blueprint := lens.AsObj(config)
	root := tftypes.NewAttributePath()

	if o := lens.AsObj(blueprint["ownership"]); o != nil {
		at := root.WithAttributeName("ownership").WithAttributeName("path")
		switch kind, _ := text(o["type"]); {
		case kind == "Inherited" && o["path"].IsKnown() && lens.AsText(o["path"]) == "":
			out = append(out, lens.Problem{Path: at, Summary: "Missing ownership path",
				Detail: "Ownership of type Inherited wants a path: the relations, joined by dots, that lead to the blueprint whose teams are inherited."})
		case kind == "Direct" && !lens.Nothing(o["path"]):
			out = append(out, lens.Problem{Path: at, Summary: "Superfluous ownership path",
				Detail: "Only ownership of type Inherited has a path; with Direct, teams are set on each entity."})
		}
	}
	if !lens.Nothing(blueprint["webhook_changelog_destination"]) && !lens.Nothing(blueprint["kafka_changelog_destination"]) {
		out = append(out, lens.Problem{Path: root.WithAttributeName("kafka_changelog_destination"), Summary: "Invalid Attribute Combination",
			Detail: "A blueprint has one changelog destination: kafka_changelog_destination conflicts with webhook_changelog_destination, leave one of them out."})
	}
	out = append(out, checkContents(blueprint)...)
	return append(out, checkPaths(blueprint)...)
}

// checkContents finds what is wrong within properties and relations, whatever
// blueprint they are in.
func checkContents(blueprint lens.Obj) []lens.Problem {
	out := checkNames(blueprint)
	root := tftypes.NewAttributePath()
	properties := lens.AsObj(blueprint["properties"])
	for _, m := range propertyMaps {
		if wrong := keysCheck().Test(properties[m.attribute]); wrong != "" {
			out = append(out, lens.Problem{Path: root.WithAttributeName("properties").WithAttributeName(m.attribute), Summary: "Invalid key", Detail: wrong})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(lens.AsObj(blueprint["relations"]))) {
		relation := lens.AsObj(lens.AsObj(blueprint["relations"])[key])
		if lens.AsBool(relation["many"]) && lens.AsBool(relation["required"]) {
			out = append(out, lens.Problem{Path: root.WithAttributeName("relations").WithElementKeyString(key).WithAttributeName("required"),
				Summary: "Invalid Attribute Combination", Detail: "A relation to many entities cannot be required: set either many or required."})
		}
	}
	out = append(out, checkLogins(root.WithAttributeName("properties").WithAttributeName("string_props"), properties["string_props"])...)
	out = append(out, checkLogins(root.WithAttributeName("calculation_properties"), blueprint["calculation_properties"])...)
	return append(out, checkDefaults(blueprint)...)
}

// checkLogins wants a login to be that of an embedded URL (reference/catalog.md
// §2.4).
func checkLogins(at *tftypes.AttributePath, all tftypes.Value) []lens.Problem {
	var out []lens.Problem
	for _, key := range slices.Sorted(maps.Keys(lens.AsObj(all))) {
		p := lens.AsObj(lens.AsObj(all)[key])
		spec, known := p["spec"], lens.Nothing(p["spec"]) || lens.Known(p["spec"])
		if !lens.Known(p["spec_authentication"]) || !known {
			continue
		}
		if s, _ := text(spec); s != "embedded-url" {
			out = append(out, lens.Problem{Path: at.WithElementKeyString(key).WithAttributeName("spec_authentication"),
				Summary: "Login of nothing", Detail: "Only an embedded URL has a login: set spec = \"embedded-url\", or leave spec_authentication out."})
		}
	}
	return out
}

// checkPaths wants paths to begin with a relation of the blueprint itself; where
// they lead from there, only the server knows (reference/catalog.md §2.13).
func checkPaths(blueprint lens.Obj) []lens.Problem {
	if v := blueprint["relations"]; v.Type() != nil && !v.IsKnown() {
		return nil
	}
	if mode, _ := text(blueprint["undeclared_relations"]); mode == undeclaredKeep {
		return nil // it may begin with one that is declared elsewhere
	}
	relations := lens.AsObj(blueprint["relations"])
	root := tftypes.NewAttributePath()
	var out []lens.Problem
	check := func(at *tftypes.AttributePath, path tftypes.Value) {
		s, _ := text(path)
		first, _, _ := strings.Cut(s, ".")
		if _, ok := relations[first]; !ok && first != "" && !strings.HasPrefix(first, "$") {
			out = append(out, lens.Problem{Path: at, Summary: "Path without a relation",
				Detail: fmt.Sprintf("The path begins with %q, and the blueprint has no such relation. "+
					"If it is declared elsewhere, as a port_blueprint_relation, set undeclared_relations = \"keep\".", first)})
		}
	}
	mirrors := lens.AsObj(blueprint["mirror_properties"])
	for _, key := range slices.Sorted(maps.Keys(mirrors)) {
		check(root.WithAttributeName("mirror_properties").WithElementKeyString(key).WithAttributeName("path"), lens.AsObj(mirrors[key])["path"])
	}
	check(root.WithAttributeName("ownership").WithAttributeName("path"), lens.AsObj(blueprint["ownership"])["path"])
	return out
}

// notEmpty wants a text to be there.
func notEmpty() lens.Check {
	c := lens.Length(1, -1)
	c.Title, c.Doc = "Empty value", ""
	test := c.Test
	c.Test = func(v tftypes.Value) string {
		if test(v) != "" {
			return "it must not be empty"
		}
		return ""
	}
	return c
}

// checkNames refuses a key that two kinds of property share: they live in one
// name space (reference/catalog.md §2.1). Keys in two maps of properties are
// found by the codec.
func checkNames(blueprint lens.Obj) []lens.Problem {
	out := checkRenamings(blueprint)
	taken := map[string]string{}
	for key := range propertyTypes(blueprint) {
		taken[key] = "properties"
	}
	for _, name := range []string{"mirror_properties", "calculation_properties"} {
		for _, key := range slices.Sorted(maps.Keys(lens.AsObj(blueprint[name]))) {
			if other, ok := taken[key]; ok {
				out = append(out, lens.Problem{Path: tftypes.NewAttributePath().WithAttributeName(name).WithElementKeyString(key),
					Summary: "Key used twice", Detail: fmt.Sprintf("Key %q is also in %s: properties, mirror properties and calculation properties share one name space.", key, other)})
				continue
			}
			taken[key] = name
		}
	}
	return out
}
