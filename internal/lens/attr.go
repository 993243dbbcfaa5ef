package lens

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Mode says who gives an attribute its value.
type Mode int

// Modes. An attribute with a default is [OptComputed].
const (
	Opt         Mode = iota // the user may
	Req                     // the user must
	Computed                // the server does; never sent
	OptComputed             // the user may, else the server or the default does
)

// Nesting says how the objects of a nested attribute are collected.
type Nesting int

// Nestings; [Flat] is an attribute without nested attributes.
const (
	Flat Nesting = iota
	Single
	InList
	InSet
	InMap
)

// Number says which numbers an attribute takes; on the wire and in tftypes all
// are exact decimals.
type Number int

// Numbers.
const (
	NotNumber Number = iota
	Int64            // whole numbers of 64 bits
	Float64          // numbers a double can hold
	AnyNumber        // any number
)

// Text says what the text of a string attribute is.
type Text int

// Texts.
const (
	PlainText  Text = iota
	JSONText        // any JSON value
	ObjectText      // a JSON object
)

// Plan is a set of flags about planning an attribute.
type Plan uint

// Plan flags.
const (
	Keep     Plan = 1 << iota // computed: keeps the state's value in an update
	Volatile                  // computed: unknown as soon as the body changes
	Replace                   // a change replaces the resource
	Trigger                   // a change is an update although the body stays the same
)

// Attr is an attribute or block of a schema, with all that schemas, documentation
// and generators of test values need.
type Attr struct {
	Name       string
	Type       tftypes.Type
	Nesting    Nesting
	Nested     []Attr
	Block      bool
	Mode       Mode
	Number     Number
	Text       Text
	Sensitive  bool
	WriteOnly  bool
	Doc        string
	Deprecated string
	// Default is the value of an attribute left out; nil for none.
	Default *tftypes.Value
	Plan    Plan
	Checks  []Check
	// ElemChecks apply to each element of a flat list, set or map.
	ElemChecks []Check
	// Client marks a setting of the provider that never reaches the wire.
	Client bool
	// Unordered marks a list whose order does not count on the wire.
	Unordered bool
	// Choices are rules on how many of some nested attributes may be set.
	Choices []Choice
	// Unread marks a value the server takes, or gives once, and never gives back.
	Unread bool
	// Unshown marks what data sources have no use for.
	Unshown bool
}

// Choice is a rule on how many of the named attributes of one object are set.
type Choice struct {
	Names       []string
	Least, Most bool // at least one, at most one
}

// Documentation is the attribute's text with its allowed values and default.
func (a Attr) Documentation() string {
	text := strings.TrimSpace(a.Doc)
	add := func(s string) {
		if s == "" {
			return
		}
		if text != "" && !strings.HasSuffix(text, ".") {
			text += "."
		}
		text = strings.TrimSpace(text+" "+strings.ToUpper(s[:1])+s[1:]) + "."
	}
	use := "write it with `jsonencode`"
	if a.Mode == Computed {
		use = "read it with `jsondecode`"
	}
	switch a.Text {
	case JSONText:
		add("JSON text; " + use)
	case ObjectText:
		add("text of a JSON object; " + use)
	}
	for _, c := range a.Checks {
		add(c.Doc)
	}
	for _, c := range a.ElemChecks {
		if c.Doc != "" {
			add("each element: " + c.Doc)
		}
	}
	if a.Default != nil {
		if s, ok := literal(*a.Default); ok {
			add("default: `" + s + "`")
		}
	}
	return text
}
