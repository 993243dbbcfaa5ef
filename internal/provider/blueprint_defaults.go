package provider

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// checkDefaults wants a default to be one of the enum's values and within the
// limits of its own property.
func checkDefaults(blueprint lens.Obj) []lens.Problem {
	var out []lens.Problem
	properties := lens.AsObj(blueprint["properties"])
	for _, name := range []string{"string_props", "number_props"} {
		all := lens.AsObj(properties[name])
		for _, key := range slices.Sorted(maps.Keys(all)) {
			p := lens.AsObj(all[key])
			at := tftypes.NewAttributePath().WithAttributeName("properties").WithAttributeName(name).WithElementKeyString(key).WithAttributeName("default")
			out = append(out, checkEnum(at, p["enum"], p["default"])...)
			out = append(out, checkLimits(at, p)...)
		}
	}
	arrays := lens.AsObj(properties["array_props"])
	for _, key := range slices.Sorted(maps.Keys(arrays)) {
		items := lens.AsObj(lens.AsObj(arrays[key])["string_items"])
		at := tftypes.NewAttributePath().WithAttributeName("properties").WithAttributeName("array_props").WithElementKeyString(key).
			WithAttributeName("string_items").WithAttributeName("default")
		for i, d := range lens.AsList(items["default"]) {
			out = append(out, checkEnum(at.WithElementKeyInt(i), items["enum"], d)...)
		}
	}
	return out
}

func checkEnum(at *tftypes.AttributePath, enum, value tftypes.Value) []lens.Problem {
	if !lens.Known(enum) || !lens.Known(value) || !enum.IsFullyKnown() {
		return nil
	}
	allowed := lens.AsList(enum)
	if len(allowed) == 0 || slices.ContainsFunc(allowed, value.Equal) {
		return nil
	}
	return []lens.Problem{{Path: at, Summary: "Default is not in enum",
		Detail: fmt.Sprintf("The default must be one of the values of enum, and %s is not.", literalText(value))}}
}

// literalText is a text or number as a configuration has it.
func literalText(v tftypes.Value) string {
	if v.Type().Is(tftypes.Number) {
		return number(v).Text('g', -1)
	}
	return strconv.Quote(lens.AsText(v))
}

// checkLimits compares the default of a text or a number with what its property
// allows.
func checkLimits(at *tftypes.AttributePath, property lens.Obj) []lens.Problem {
	value := property["default"]
	if !lens.Known(value) {
		return nil
	}
	var wrong []string
	measure, size := "the value ", new(big.Float)
	if value.Type().Is(tftypes.Number) {
		size = number(value)
	} else {
		text := lens.AsText(value)
		measure, size = "the length ", size.SetInt64(int64(utf8.RuneCountInString(text)))
		if pattern := property["pattern"]; lens.Known(pattern) && !matches(lens.AsText(pattern), text) {
			wrong = append(wrong, "does not match the pattern")
		}
	}
	for name, sign := range map[string]int{"min_length": -1, "minimum": -1, "max_length": 1, "maximum": 1} {
		if limit := property[name]; lens.Known(limit) && size.Cmp(number(limit)) == sign {
			wrong = append(wrong, fmt.Sprintf("has %s%s, and %s is %s", measure, size.Text('g', -1), name, number(limit).Text('g', -1)))
		}
	}
	slices.Sort(wrong)
	var out []lens.Problem
	for _, w := range wrong {
		out = append(out, lens.Problem{Path: at, Summary: "Default is not allowed", Detail: "The default " + w + "."})
	}
	return out
}

func number(v tftypes.Value) *big.Float {
	f := new(big.Float)
	if err := v.As(f); err != nil {
		return new(big.Float)
	}
	return f
}

// matches is generous: a pattern that is no pattern or takes for ever is not the
// default's fault.
func matches(pattern, text string) bool {
	re, err := regexp2.Compile(pattern, regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return true
	}
	re.MatchTimeout = 100 * time.Millisecond
	ok, err := re.MatchString(text)
	return ok || err != nil
}
