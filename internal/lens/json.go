package lens

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// JSONKind is a string attribute that holds JSON text.
type JSONKind struct {
	object              bool
	blankOmits, emptyGo bool
	blankNull           bool
	lenient             bool
}

// JSON texts.
var (
	// JSON is text of any JSON value; the text null stands for no key.
	JSON = JSONKind{}
	// JSONObject is text of a JSON object.
	JSONObject = JSONKind{object: true}
)

// BlankOmits reads "" as if the attribute were left out.
func (k JSONKind) BlankOmits() JSONKind { k.blankOmits = true; return k }

// BlankIsNull sends "" as an explicit null.
func (k JSONKind) BlankIsNull() JSONKind { k.blankNull = true; return k }

// EmptyOmits sends no key for {} and [].
func (k JSONKind) EmptyOmits() JSONKind { k.emptyGo = true; return k }

// Lenient sends and reads any JSON value; that a value should be an object is
// then only a warning about the configuration. It suits places where the server
// may hold more than it documents and a refresh must not fail.
func (k JSONKind) Lenient() JSONKind { k.lenient = true; return k }

// Type implements [Kind].
func (JSONKind) Type() tftypes.Type { return tftypes.String }

// Shape implements [Kind].
func (k JSONKind) Shape(a *Attr) {
	a.Text = JSONText
	if k.object {
		a.Text = ObjectText
	}
}

// Put implements [Kind].
func (k JSONKind) Put(_ *Run, v tftypes.Value) (any, error) {
	s, ok := asString(v)
	if !ok {
		return nil, notKnown(v, "JSON text")
	}
	if strings.TrimSpace(s) == "" {
		switch {
		case k.blankOmits:
			return omitted{}, nil
		case k.blankNull:
			return nil, nil
		}
	}
	j, err := k.parse(s, k.lenient)
	if err != nil {
		return nil, err
	}
	if j == nil || k.emptyGo && vacantCollection(j) {
		return omitted{}, nil
	}
	return j, nil
}

func (k JSONKind) parse(s string, lenient bool) (any, error) {
	j, err := jsonv.Decode([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("invalid JSON: %w", err)
	}
	if _, ok := j.(Body); k.object && !lenient && !ok && (j != nil || !k.blankOmits && !k.blankNull) {
		return nil, fmt.Errorf("want the text of a JSON object, got %s", describe(j))
	}
	return j, nil
}

// Get implements [Kind]. Text made here is compact with sorted keys.
func (k JSONKind) Get(r *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	if _, ok := j.(Body); k.object && !k.lenient && !ok {
		return tftypes.Value{}, wrongKind("an object", j)
	}
	return Str(canonical(r, j)), nil
}

// Problems reports text that is no JSON, with line and column.
func (k JSONKind) Problems(at Path, v tftypes.Value) []Problem {
	s, ok := asString(v)
	if !ok || strings.TrimSpace(s) == "" && (k.blankOmits || k.blankNull) {
		return nil
	}
	if _, err := k.parse(s, false); err != nil {
		p := at.problem(titleJSON, err.Error())
		p.Detail = fmt.Sprintf("Attribute %s: %s", PathString(p.Path), err)
		if k.lenient {
			_, err = k.parse(s, true)
			p.Warning = err == nil
		}
		return []Problem{p}
	}
	return nil
}

// TextOrJSON is a string attribute that is sent as a JSON object when it is the
// text of one that has all the given keys, and as the string itself otherwise.
func TextOrJSON(keys ...string) Kind { return textOrJSON{keys: keys} }

type textOrJSON struct{ keys []string }

func (textOrJSON) Type() tftypes.Type { return tftypes.String }
func (textOrJSON) Shape(*Attr)        {}

func (k textOrJSON) Put(_ *Run, v tftypes.Value) (any, error) {
	s, ok := asString(v)
	if !ok {
		return nil, notKnown(v, "a string")
	}
	if o, ok := k.object(s); ok {
		return o, nil
	}
	return s, nil
}

func (k textOrJSON) object(s string) (Body, bool) {
	if !strings.HasPrefix(strings.TrimSpace(s), "{") {
		return nil, false
	}
	o, err := jsonv.DecodeObject([]byte(s))
	if err != nil {
		return nil, false
	}
	for _, key := range k.keys {
		if _, ok := o[key]; !ok {
			return nil, false
		}
	}
	return o, true
}

func (k textOrJSON) Get(r *Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	switch j := j.(type) {
	case string:
		return Str(j), nil
	case Body:
		text := canonical(r, j)
		if _, ok := k.object(text); ok {
			return Str(text), nil
		}
	}
	return tftypes.Value{}, wrongKind("a string or an object with the keys "+strings.Join(k.keys, ", "), j)
}
