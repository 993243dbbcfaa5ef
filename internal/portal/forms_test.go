package portal_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// The entity service/cart of [newForms] as programs see it.
const (
	seenCart     = `"identifier": "cart", "title": "Cart", "icon": null, "blueprint": "service", "team": ["core"], "properties": {"tier": "1"}, "relations": {"domain": "shop", "libs": ["shop"]}, "scorecards": {}`
	auditOfSeeds = `"createdAt": "2024-01-01T00:00:00.000Z", "createdBy": "testClientId00000000000000000000", "updatedAt": "2024-01-01T00:00:00.000Z", "updatedBy": "testClientId00000000000000000000"`
)

// forms are self-service actions on a portal of their own, one for each form.
type forms struct {
	t     *testing.T
	p     *portaltest.Portal
	count int
}

func newForms(t *testing.T) *forms {
	return &forms{t: t, p: portaltest.Start(t, portaltest.Options{Seed: `{"blueprints": [
		{"identifier": "domain", "title": "Domain", "schema": {"properties": {}, "required": []}},
		{"identifier": "service", "title": "Service", "ownership": {"type": "Direct"}, "schema": {"properties": {"tier": {"type": "string"}}, "required": []},
			"relations": {"domain": {"title": "D", "target": "domain", "many": false, "required": false}, "libs": {"title": "L", "target": "domain", "many": true, "required": false}}}],
		"entities": [{"identifier": "core", "blueprint": "_team", "title": "Core"}, {"identifier": "shop", "blueprint": "domain", "title": "Shop"},
		{"identifier": "cart", "blueprint": "service", "title": "Cart", "team": ["core"], "properties": {"tier": "1"}, "relations": {"domain": "shop", "libs": ["shop"]}}]}`})}
}

// write makes an action with a form and returns its identifier, and what is wrong with
// it below userInputs: "" when it is taken, and told as it was sent.
func (f *forms) write(form string) (action, faults string) {
	f.t.Helper()
	f.count++
	id := fmt.Sprintf("a%d", f.count)
	sent, err := jsonv.Decode([]byte(form))
	if err != nil {
		f.t.Fatalf("%s: %v", form, err)
	}
	a := f.p.Call(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": id, "invocationMethod": jsonv.Object{"type": "KAFKA"},
		"trigger": jsonv.Object{"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service", "userInputs": sent},
	})
	if a.Status != http.StatusCreated {
		return id, faultsOf(a, "/trigger/userInputs")
	}
	if diff := cmp.Diff(sent, a.Body["action"].(jsonv.Object)["trigger"].(jsonv.Object)["userInputs"]); diff != "" {
		f.t.Errorf("%s is told otherwise: %s", form, diff)
	}
	return id, ""
}

// run runs an action and returns the properties of the run, or what is wrong with
// those that were posted.
func (f *forms) run(action, posted, query string) (properties jsonv.Object, faults string) {
	f.t.Helper()
	a := f.p.Call(http.MethodPost, "/v1/actions/"+action+"/runs"+query, jsonv.Object{"entity": "cart", "properties": decodeJSON(f.t, posted)})
	if a.Status != http.StatusAccepted {
		return nil, faultsOf(a, "/properties")
	}
	return jsonv.Map(a.Body, "run", "properties"), ""
}

// faultsOf lists the places, below one, and keywords of what is wrong.
func faultsOf(a portaltest.Answer, below string) string {
	if a.Status != http.StatusUnprocessableEntity || a.Body["error"] != "invalid_request" {
		return fmt.Sprintf("%d %s", a.Status, a.Text)
	}
	var out []string
	for _, e := range jsonv.List(a.Body, "details", "errors") {
		if jsonv.String(e, "message") == "" {
			return "no message: " + a.Text
		}
		out = append(out, strings.TrimPrefix(jsonv.String(e, "path"), below)+" "+jsonv.String(e, "keyword"))
	}
	return strings.Join(slices.Compact(out), ", ")
}

// A form is checked when it is written: each line is a form and what is wrong with it,
// "" for nothing.
func TestFormsTakeWhatTheyShould(t *testing.T) {
	t.Parallel()
	f := newForms(t)
	for _, c := range [][2]string{
		// rows: act §2.1 1
		{`{"properties": {}}`, ""},
		{`{"properties": {"a": {"type": "string"}}, "titles": {}, "required": []}`, ""},
		{`{"properties": {}, "x": 1}`, "/x additionalProperties"},
		{`{}`, "/properties required"},
		{`[]`, " type"},
		// rows: act §2.1 2
		{`{"properties": {"a": {"type": "string"}}, "titles": {"t": {"title": "T"}}, "required": ["a"], "order": ["t", "a"]}`, ""},
		{`{"properties": {}, "order": [], "steps": []}`, "/steps additionalProperties"},
		// rows: act §2.1 3
		{`{"properties": {"a": {"type": "string"}}, "titles": {"t": {"title": "T"}}, "required": ["a"], "steps": [{"title": "S", "order": ["t", "a"]}]}`, ""},
		// rows: act §2.1 4
		{`{"properties": {"A-z0@_=\\": {"type": "string"}, "` + strings.Repeat("long", 100) + `": {"type": "string"}}}`, ""},
		{`{"properties": {"a b": {"type": "string"}, "é": {"type": "string"}, "": {"type": "string"}, "a.b": {"type": "string"}}}`, "/properties/ pattern, /properties/a b pattern, /properties/a.b pattern, /properties/é pattern"},
		{`{"properties": []}`, "/properties type"},
		// rows: act §2.1 5
		{`{"properties": {}, "required": ["none", "none"]}`, ""},
		{`{"properties": {}, "required": {"jqQuery": "((("}}`, ""},
		{`{"properties": {}, "required": {"jqQuery": ""}}`, ""},
		{`{"properties": {}, "required": {"jqQuery": "[]", "x": 1}}`, "/required type"},
		{`{"properties": {}, "required": [1]}`, "/required/0 type"},
		// rows: act §2.1 6
		{`{"properties": {}, "order": ["none"]}`, ""},
		{`{"properties": {}, "order": {}}`, "/order type"},
		{`{"properties": {}, "order": [1]}`, "/order/0 type"},
		// rows: act §2.1 7
		{`{"properties": {}, "steps": [{"title": "", "order": ["none"], "visible": false}, {"title": "a title of more than 25 characters", "order": [], "visible": {"jqQuery": "x"}}]}`, ""},
		{`{"properties": {}, "steps": [{}, {"title": null, "order": null}, {"title": 1, "order": [1], "visible": "true", "x": 1}, 1]}`, "/steps/0/order required, /steps/0/title required, /steps/1/order type, /steps/1/title type, /steps/2/order/0 type, /steps/2/title type, /steps/2/visible type, /steps/2/x additionalProperties, /steps/3 type"},
		// rows: act §2.1 8
		{`{"properties": {}, "titles": {"t": {"title": "` + strings.Repeat("é", 140) + `", "description": "` + strings.Repeat("é", 1000) + `", "visible": {"jqQuery": "x"}, "more": {"x": 1}}, "u": {"title": "x", "description": "", "visible": false}, "v": {}}}`, ""},
		{`{"properties": {}, "titles": {"a b": {"title": ""}, "t": {"title": "` + strings.Repeat("é", 141) + `", "description": "` + strings.Repeat("é", 1001) + `", "visible": 1}, "u": {"title": 1}, "v": "x"}}`, "/titles/a b pattern, /titles/a b/title minLength, /titles/t/description maxLength, /titles/t/title maxLength, /titles/t/visible type, /titles/u/title type, /titles/v type"},
	} {
		if _, got := f.write(c[0]); got != c[1] {
			t.Errorf("%s: %q, want %q", c[0], got, c[1])
		}
	}
}

// What each input may hold, whatever its type: inputs, and what is wrong with them.
func TestInputsTakeWhatTheyShould(t *testing.T) {
	t.Parallel()
	f := newForms(t)
	const entity = `"type": "string", "format": "entity", "blueprint": "service"`
	for _, c := range [][2]string{
		// rows: act §2.2 1
		{`{"type": "string"}`, ""}, {`{"type": "number"}`, ""}, {`{"type": "boolean"}`, ""}, {`{"type": "object"}`, ""}, {`{"type": "array"}`, ""},
		{`{"type": "file"}`, "/type enum"}, {`{"type": "integer"}`, "/type enum"}, {`{"type": null}`, "/type enum"}, {`{"type": ["string"]}`, "/type enum"}, {`{}`, "/type required"}, {`"string"`, " type"},
		// rows: act §2.2 2
		{`{"type": "string", "title": "", "description": "", "icon": "Cloud"}`, ""},
		{`{"type": "string", "title": 1, "description": [], "icon": {}}`, "/description type, /icon type, /title type"},
		// rows: act §2.2 3
		{`{"type": "string", "format": "multi-line"}`, ""}, {`{"type": "object", "format": "labeled-url"}`, ""},
		{`{"type": "string", "format": "timer"}`, "/format enum"}, {`{"type": "string", "format": "idn-email"}`, "/format enum"}, {`{"type": "string", "format": ""}`, "/format enum"},
		// rows: act §2.2 4
		{`{"type": "string", "default": {"jqQuery": ".user.email"}}`, ""}, {`{"type": "number", "default": 2.50}`, ""}, {`{"type": "object", "default": {"a": [null]}}`, ""}, {`{"type": "array", "default": ["x", 1], "items": {"default": [2]}}`, ""},
		// rows: act §2.2 5
		{`{"type": "string", "enum": ["a"]}`, ""}, {`{"type": "object", "enum": [{"a": 1}]}`, ""}, {`{"type": "array", "enum": [[1], [2]]}`, ""}, {`{"type": "boolean", "enum": {"jqQuery": "x"}}`, ""},
		{`{"type": "string", "enum": "a"}`, "/enum type"}, {`{"type": "string", "enum": {"jqQuery": 1}}`, "/enum type"}, {`{"type": "string", "enum": {}}`, "/enum type"},
		// rows: act §2.2 6
		{`{"type": "number", "enum": [1], "enumColors": {"1": "lightGray", "more": "any colour"}}`, ""},
		{`{"type": "string", "enum": ["a"], "enumColors": {"a": 1}}`, "/enumColors/a type"}, {`{"type": "string", "enumColors": []}`, "/enumColors type"},
		// rows: act §2.2 7
		{`{"type": "string", "dependsOn": ["x", "none"]}`, ""}, {`{"type": "string", "dependsOn": "x"}`, "/dependsOn type"}, {`{"type": "string", "dependsOn": [1]}`, "/dependsOn/0 type"},
		// rows: act §2.2 8-9
		{`{"type": "string", "visible": false, "disabled": true}`, ""}, {`{"type": "string", "visible": {"jqQuery": "((("}, "disabled": {"jqQuery": ""}}`, ""},
		{`{"type": "string", "visible": "true", "disabled": 1}`, "/disabled type, /visible type"}, {`{"type": "string", "visible": {"jqQuery": "x", "y": 1}, "disabled": {}}`, "/disabled type, /visible type"},
		// rows: act §2.2 10
		{`{` + entity + `}`, ""}, {`{"type": "string", "format": "entity", "blueprint": "none"}`, ""},
		{`{"type": "string", "format": "entity"}`, "/blueprint required"}, {`{"type": "string", "format": "entity", "blueprint": 1}`, "/blueprint type"}, {`{"type": "array", "items": {"type": "string", "format": "entity"}}`, "/items/blueprint required"},
		// rows: act §2.2 11
		{`{` + entity + `, "dataset": {"combinator": "or", "rules": []}}`, ""}, {`{"type": "array", "items": {` + entity + `, "dataset": {"combinator": "and", "rules": []}}}`, ""},
		{`{` + entity + `, "dataset": {"x": 1}}`, "/dataset/combinator required, /dataset/rules required, /dataset/x additionalProperties"}, {`{` + entity + `, "dataset": {"combinator": "xor", "rules": {}}}`, "/dataset/combinator enum, /dataset/rules type"}, {`{` + entity + `, "dataset": []}`, "/dataset type"},
		// rows: act §2.2 12
		{`{` + entity + `, "sort": {"property": "$updatedAt", "order": "DESC"}}`, ""},
		{`{` + entity + `, "sort": {"x": 1}}`, "/sort/order required, /sort/property required, /sort/x additionalProperties"}, {`{` + entity + `, "sort": {"property": 1, "order": "asc"}}`, "/sort/order enum, /sort/property type"},
		// rows: act §2.2 13
		{`{"type": "string", "format": "multi-line", "encryption": "aes256-gcm"}`, ""}, {`{"type": "object", "encryption": {"algorithm": "client-side", "key": "PEM"}}`, ""},
		{`{"type": "number", "encryption": "aes256-gcm"}`, "/encryption additionalProperties"}, {`{"type": "array", "encryption": "aes256-gcm"}`, "/encryption additionalProperties"}, {`{"type": "string", "encryption": "fernet"}`, "/encryption enum"}, {`{"type": "string", "encryption": {"algorithm": "client-side"}}`, "/encryption/key required"}, {`{"type": "string", "encryption": {"algorithm": "client-side", "key": "PEM", "x": 1}}`, "/encryption/x additionalProperties"},
		// rows: act §2.2 14
		{`{"type": "string", "jqQuery": null}`, ""}, {`{"type": "string", "jqQuery": "x"}`, "/jqQuery type"},
		{`{"type": "string", "readOnly": true, "any": {"thing": [null]}}`, ""},
		{`{"type": "string", "minLength": 0, "maxLength": 1, "pattern": "^a"}`, ""},
		{`{"type": "string", "minLength": -1}`, "/minLength minimum"},
	} {
		if _, got := f.write(`{"properties": {"i": ` + c[0] + `}}`); strings.ReplaceAll(got, "/properties/i", "") != c[1] {
			t.Errorf("%s: %q, want %q", c[0], got, c[1])
		}
	}
}

// What runs may post to inputs of each type and format, and why not.
func TestRunsPostWhatInputsTake(t *testing.T) {
	t.Parallel()
	f := newForms(t)
	sealed := func(n int) string {
		return `"` + base64.StdEncoding.EncodeToString(make([]byte, n)) + `"`
	}
	for _, c := range []struct {
		input string
		takes []string
		not   [][2]string
	}{
		// rows: act §2.3 1
		{`{"type": "string"}`, []string{`""`, `"x"`, `null`}, [][2]string{{`1`, " type"}, {`{}`, " type"}}},
		{`{"type": "string", "minLength": 2, "maxLength": 3}`, []string{`"ab"`, `"éé🙂"`}, [][2]string{{`"é"`, " minLength"}, {`"abcd"`, " maxLength"}}},
		{`{"type": "string", "pattern": "b(?=c)\\p{L}"}`, []string{`"abcd"`}, [][2]string{{`"ab"`, " pattern"}}},
		{`{"type": "string", "pattern": "^[a-z]+$", "minLength": 3, "enum": ["abc"]}`, nil, [][2]string{{`"A\n"`, " enum,  minLength,  pattern"}}},
		// rows: act §2.3 2-3
		{`{"type": "string", "format": "multi-line"}`, []string{`"a\nb"`}, [][2]string{{`1`, " type"}}},
		{`{"type": "string", "format": "markdown"}`, []string{`"# a"`}, [][2]string{{`1`, " type"}}},
		{`{"type": "string", "format": "yaml"}`, []string{`"a: ["`}, [][2]string{{`{}`, " type"}}},
		{`{"type": "string", "format": "proto"}`, []string{`"}"`}, [][2]string{{`[]`, " type"}}},
		// rows: act §2.3 4-7
		{`{"type": "string", "format": "url"}`, []string{`"https://a.b/c?d#e"`, `"mailto:a@b.c"`}, [][2]string{{`"a.b"`, " format"}, {`""`, " format"}, {`"//a"`, " format"}}},
		{`{"type": "string", "format": "email"}`, []string{`"a@b.c"`}, [][2]string{{`"a"`, " format"}, {`"a@"`, " format"}}},
		{`{"type": "string", "format": "ipv4"}`, []string{`"1.2.3.4"`}, [][2]string{{`"1.2.3.256"`, " format"}, {`"::1"`, " format"}}},
		{`{"type": "string", "format": "ipv6"}`, []string{`"::1"`}, [][2]string{{`"1.2.3.4"`, " format"}}},
		{`{"type": "string", "format": "date-time"}`, []string{`"2024-05-01T10:00:00Z"`, `"2024-05-01T10:00:00.5+02:00"`}, [][2]string{{`"2024-05-01"`, " format"}, {`"2024-13-01T10:00:00Z"`, " format"}}},
		// rows: act §2.3 8-10
		{`{"type": "string", "spec": "embedded-url", "specAuthentication": {"clientId": "a", "authorizationUrl": "b", "tokenUrl": "c"}}`, []string{`"anything"`}, [][2]string{{`1`, " type"}}},
		{`{"type": "string", "format": "user"}`, []string{`"nobody@x.io"`}, [][2]string{{`"nobody"`, " format"}}},
		{`{"type": "string", "format": "team"}`, []string{`"nobody"`}, [][2]string{{`""`, " format"}, {`1`, " type"}}},
		// rows: act §2.3 11
		{
			`{"type": "string", "format": "entity", "blueprint": "service", "dataset": {"combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": "9"}]}}`,
			[]string{`"cart"`, `{"identifier": "cart", "more": 1}`},
			[][2]string{{`"none"`, " notFound"}, {`{"identifier": "none"}`, " notFound"}, {`"shop"`, " notFound"}, {`1`, " type"}, {`{}`, " type"}},
		},
		{`{"type": "string", "format": "entity", "blueprint": "none"}`, nil, [][2]string{{`"cart"`, " notFound"}}},
		// rows: act §2.3 12
		{`{"type": "string", "enum": ["a", "b"]}`, []string{`"a"`}, [][2]string{{`"c"`, " enum"}, {`"A"`, " enum"}}},
		{`{"type": "string", "enum": {"jqQuery": "[.entity.identifier]"}}`, []string{`"cart"`}, [][2]string{{`"c"`, " enum"}}},
		{`{"type": "object", "enum": [{"a": 1}]}`, []string{`{"a": 1.0}`}, [][2]string{{`{"a": 2}`, " enum"}}},
		{`{"type": "array", "enum": [[1]]}`, []string{`[1]`}, [][2]string{{`[1, 1]`, " enum"}}},
		// rows: act §2.3 13
		{`{"type": "string", "encryption": "aes256-gcm", "minLength": 3}`, []string{`"abc"`}, [][2]string{{`"ab"`, " minLength"}, {`1`, " type"}}},
		{`{"type": "string", "encryption": {"algorithm": "client-side", "key": "PEM"}, "maxLength": 1}`, []string{sealed(12 + 256 + 17)}, [][2]string{{sealed(12 + 256 + 16), " format"}, {`"plain"`, " format"}}},
		// rows: act §2.3 14
		{`{"type": "number", "minimum": 1, "maximum": 3}`, []string{`1`, `3`, `2.5`}, [][2]string{{`0.9`, " minimum"}, {`3.00000000000000000001`, " maximum"}, {`"2"`, " type"}, {`true`, " type"}}},
		{`{"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 3}`, []string{`1.1`}, [][2]string{{`1`, " exclusiveMinimum"}, {`3`, " exclusiveMaximum"}}},
		{`{"type": "number", "enum": [1, 2.5]}`, []string{`1.0`, `2.5`}, [][2]string{{`2`, " enum"}}},
		{`{"type": "number"}`, []string{`12345678901234567890123`, `1e300`}, nil},
		// rows: act §2.3 15
		{`{"type": "boolean"}`, []string{`true`, `false`}, [][2]string{{`"true"`, " type"}, {`0`, " type"}}},
		// rows: act §2.3 16
		{`{"type": "object"}`, []string{`{}`, `{"a": [null]}`}, [][2]string{{`[]`, " type"}, {`"{}"`, " type"}}},
		{
			`{"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"], "patternProperties": {"^x": {"type": "number"}}, "additionalProperties": false}`,
			[]string{`{"k": "a", "x1": 2}`},
			[][2]string{{`{}`, " required"}, {`{"k": 1}`, " type"}, {`{"k": "a", "z": 1}`, " additionalProperties"}, {`{"k": "a", "x": "s"}`, " type"}},
		},
		// rows: act §2.3 17
		{`{"type": "object", "format": "labeled-url"}`, []string{`{"url": "https://a.b", "displayText": "A"}`, `{"url": "any text", "more": 1}`}, [][2]string{{`{}`, " required"}, {`{"url": 1}`, " type"}, {`{"url": "a", "displayText": 1}`, " type"}, {`"https://a.b"`, " type"}}},
		// rows: act §2.3 18
		{`{"type": "array"}`, []string{`[]`, `[1, "a", null, {}]`}, [][2]string{{`{}`, " type"}}},
		{`{"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a"}, "minItems": 1, "maxItems": 2, "uniqueItems": true}`, []string{`["ab"]`}, [][2]string{{`[]`, " minItems"}, {`["ab", "ac", "ad"]`, " maxItems"}, {`["ab", "ab"]`, " uniqueItems"}, {`["ab", 1]`, "/1 type"}, {`["b", "abcd"]`, "/0 minLength, /0 pattern, /1 maxLength"}}},
		{`{"type": "array", "items": {"type": "number", "minimum": 1, "maximum": 2, "enum": {"jqQuery": "[1, 2, 3]"}}}`, []string{`[1, 2]`}, [][2]string{{`[0, 3]`, "/0 enum, /0 minimum, /1 maximum"}}},
		{`{"type": "array", "items": {"type": "boolean"}}`, []string{`[true]`}, [][2]string{{`["true"]`, "/0 type"}}},
		{`{"type": "array", "items": {"type": "object", "format": "labeled-url"}}`, []string{`[{"url": "a"}]`}, [][2]string{{`[{"url": "a"}, {}]`, "/1 required"}}},
		// rows: act §2.3 19
		{`{"type": "array", "items": {"type": "string", "format": "entity", "blueprint": "service"}}`, []string{`["cart", {"identifier": "cart"}]`}, [][2]string{{`["cart", "none", 1]`, "/1 notFound, /2 type"}}},
		{`{"type": "array", "items": {"type": "string", "format": "user"}}`, []string{`["a@b.c"]`}, [][2]string{{`["a@b.c", "a"]`, "/1 format"}}},
		{`{"type": "array", "items": {"type": "string", "format": "team"}}`, []string{`["any"]`}, [][2]string{{`[""]`, "/0 format"}}},
		{`{"type": "array", "items": {"type": "string", "format": "date-time"}}`, []string{`["2024-05-01T10:00:00Z"]`}, [][2]string{{`["now"]`, "/0 format"}}},
	} {
		action, faults := f.write(`{"properties": {"i": ` + c.input + `}}`)
		if faults != "" {
			t.Errorf("%s: %s", c.input, faults)
			continue
		}
		for _, v := range c.takes {
			if _, got := f.run(action, `{"i": `+v+`}`, ""); got != "" {
				t.Errorf("%s does not take %s: %s", c.input, v, got)
			}
		}
		for _, v := range c.not {
			_, got := f.run(action, `{"i": `+v[0]+`}`, "")
			parts := strings.Split(got, ", ")
			slices.Sort(parts) // one place may offend several keywords
			if got := strings.ReplaceAll(strings.Join(parts, ", "), "/i", ""); got != v[1] {
				t.Errorf("%s and %s: %q, want %q", c.input, v[0], got, v[1])
			}
		}
	}
}

// computed are forms, what is posted to them, and what the run has or what is wrong.
type computed struct{ form, posted, properties, faults string }

func (f *forms) compute(all []computed, query string) {
	f.t.Helper()
	for _, c := range all {
		action, faults := f.write(c.form)
		if faults != "" {
			f.t.Errorf("%s: %s", c.form, faults)
			continue
		}
		got, faults := f.run(action, c.posted, query)
		if faults != c.faults {
			f.t.Errorf("%s and %s: %q, want %q", c.form, c.posted, faults, c.faults)
		}
		if c.faults != "" || faults != "" {
			continue
		}
		if diff := cmp.Diff(decodeJSON(f.t, c.properties), got); diff != "" {
			f.t.Errorf("%s and %s (-want +got): %s", c.form, c.posted, diff)
		}
	}
}

// Computed parts of forms hold what their programs yield, and restrict nothing when
// those fail.
func TestComputedPartsOfFormsHold(t *testing.T) {
	t.Parallel()
	const text = `{"type": "string"}`
	newForms(t).compute([]computed{
		// rows: act §2.4 1
		{`{"properties": {"a": {"type": "string", "default": "A"}, "b": {"type": "number", "default": {"jqQuery": ".form.a | length"}}, "c": {"type": "array", "items": {"type": "number", "default": [1]}}, "d": {"type": "array", "default": ["x"], "items": {"type": "string", "default": ["y"]}}}}`, `{}`, `{"a": "A", "b": 1, "c": [1], "d": ["x"]}`, ""},
		{`{"properties": {"a": {"type": "string", "default": {"jqQuery": "error(1)"}}, "b": {"type": "string", "default": {"jqQuery": "1"}}, "c": {"type": "string", "default": {"jqQuery": "empty"}}, "d": {"type": "string", "default": {"jqQuery": "null"}}, "e": {"type": "string", "default": {"jqQuery": "((("}}, "f": {"type": "object", "default": {"jqQuery": ""}}, "g": {"type": "string", "format": "user", "default": {"jqQuery": ".user.email"}}}}`, `{}`, `{}`, ""},
		{`{"properties": {"a": {"type": "string", "default": "A"}, "b": {"type": "string", "default": "B"}}}`, `{"a": null, "b": ""}`, `{"a": null, "b": ""}`, ""},
		{`{"properties": {"a": {"type": "number", "default": "A"}}}`, `{}`, "", "/a type"},
		// rows: act §2.4 2
		{`{"properties": {"a": {"type": "string", "enum": {"jqQuery": "[.form.b]"}}, "b": ` + text + `, "c": {"type": "array", "items": {"type": "string", "enum": {"jqQuery": "[\"z\"]"}}}}}`, `{"a": "x", "b": "y", "c": ["z", "y"]}`, "", "/a enum, /c/1 enum"},
		{`{"properties": {"a": {"type": "string", "enum": {"jqQuery": "error(1)"}}, "b": {"type": "string", "enum": {"jqQuery": "\"x\""}}, "c": {"type": "array", "items": {"type": "string", "enum": {"jqQuery": "empty"}}}}}`, `{"a": "x", "b": "y", "c": ["z"]}`, `{"a": "x", "b": "y", "c": ["z"]}`, ""},
		// rows: act §2.4 3
		{`{"properties": {"a": ` + text + `, "b": ` + text + `}, "required": {"jqQuery": "if .form.a == \"x\" then [\"b\"] else [] end"}}`, `{"a": "x"}`, "", "/b required"},
		{`{"properties": {"a": ` + text + `, "b": ` + text + `}, "required": {"jqQuery": "if .form.a == \"x\" then [\"b\"] else [] end"}}`, `{"a": "y"}`, `{"a": "y"}`, ""},
		{`{"properties": {"a": ` + text + `}, "required": {"jqQuery": "\"a\""}}`, `{}`, `{}`, ""},
		{`{"properties": {"a": ` + text + `}, "required": {"jqQuery": "error(1)"}}`, `{}`, `{}`, ""},
		{`{"properties": {"a": ` + text + `}, "required": {"jqQuery": "((("}}`, `{}`, `{}`, ""},
		// rows: act §2.4 4
		{`{"properties": {"a": ` + text + `, "b": {"type": "string", "visible": {"jqQuery": ".form.a == \"x\""}}, "c": {"type": "string", "visible": false}, "d": ` + text + `, "e": ` + text + `}, "required": ["b", "c", "d", "e"], "steps": [{"title": "1", "order": ["a", "b", "c"]}, {"title": "2", "order": ["d"], "visible": {"jqQuery": ".form.a == \"x\""}}, {"title": "3", "order": ["e"], "visible": false}]}`, `{"a": "x"}`, "", "/b required, /d required"},
		{`{"properties": {"a": ` + text + `, "b": {"type": "string", "visible": {"jqQuery": "error(1)"}}, "c": {"type": "string", "visible": {"jqQuery": "\"false\""}}, "d": {"type": "string", "visible": {"jqQuery": "empty"}}, "e": {"type": "string", "disabled": {"jqQuery": "true"}}}, "required": ["b", "c", "d", "e"]}`, `{}`, "", "/b required, /c required, /d required, /e required"},
		{`{"properties": {"a": {"type": "string", "disabled": true}}, "titles": {"t": {"title": "T", "visible": {"jqQuery": "error(1)"}}}, "order": ["t", "a"]}`, `{"a": "still submitted"}`, `{"a": "still submitted"}`, ""},
		// rows: act §2.4 5
		{`{"properties": {"a": {"type": "string", "pattern": {"jqQuery": ".form.b"}}, "b": ` + text + `, "c": {"type": "string", "pattern": {"jqQuery": "[\"x\", \"y\"]"}}}}`, `{"a": "abc", "b": "^b", "c": "z"}`, "", "/a pattern, /c pattern"},
		{`{"properties": {"a": {"type": "string", "pattern": {"jqQuery": "1"}}, "b": {"type": "string", "pattern": {"jqQuery": "\"(((\""}}, "c": {"type": "string", "pattern": {"jqQuery": "error(1)"}}}}`, `{"a": "x", "b": "y", "c": "z"}`, `{"a": "x", "b": "y", "c": "z"}`, ""},
		// rows: act §2.4 6
		{`{"properties": {"n": {"type": "number", "default": 2}, "a": {"type": "array", "minItems": {"jqQuery": ".form.n"}}, "b": {"type": "array", "maxItems": {"jqQuery": ".form.n - 1"}}}}`, `{"a": [1], "b": [1, 2]}`, "", "/a minItems, /b maxItems"},
		{`{"properties": {"a": {"type": "array", "minItems": {"jqQuery": "1.5"}, "maxItems": {"jqQuery": "\"0\""}}, "b": {"type": "array", "minItems": {"jqQuery": "error(1)"}, "maxItems": {"jqQuery": "empty"}}}}`, `{"a": [1], "b": []}`, `{"a": [1], "b": []}`, ""},
		// rows: act §2.4 7
		{`{"properties": {"a": {"type": "string", "format": "entity", "blueprint": "service", "dataset": {"combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": {"jqQuery": "((("}}]}}}}`, `{"a": "cart"}`, `{"a": {` + seenCart + `, ` + auditOfSeeds + `}}`, ""},
		// Values are asked for in the order of dependence, then of the form, then of names
		// (§2.5 step 2); a circle of dependence ends.
		{`{"properties": {"a": {"type": "string", "default": {"jqQuery": ".form | keys | join(\"\")"}}, "b": {"type": "string", "default": {"jqQuery": ".form | keys | join(\"\")"}}, "c": {"type": "string", "dependsOn": ["d"], "default": {"jqQuery": ".form | keys | join(\"\")"}}, "d": {"type": "string", "dependsOn": ["c"], "default": {"jqQuery": ".form | keys | join(\"\")"}}}, "order": ["b"]}`, `{}`, `{"b": "", "a": "b", "d": "ab", "c": "abd"}`, ""},
		{`{"properties": {"a": ` + text + `}, "titles": {"t": {"title": "T"}}, "required": ["a", "none"]}`, `{"a": null, "t": 1, "zz": 2}`, "", "/a required, /t additionalProperties, /zz additionalProperties"},
	}, "")
}

// Programs of forms see the form, the entity, who is in front of it, and how.
func TestProgramsOfFormsSeeWhatTheyShould(t *testing.T) {
	t.Parallel()
	f := newForms(t)
	f.p.As(portaltest.User{Email: "ann@x.io", Role: "Member", Teams: []string{"core"}})
	f.p.Must(http.MethodPatch, "/v1/blueprints/_user/entities/ann@x.io", jsonv.Object{"title": "Ann B"})
	shows := func(program string) string {
		return string(jsonv.Encode(jsonv.Object{"type": "object", "default": jsonv.Object{"jqQuery": program}}))
	}
	// rows: act F1-2, act F4
	f.compute([]computed{
		{
			`{"properties": {"one": {"type": "string", "format": "entity", "blueprint": "service"}, "all": {"type": "array", "items": {"type": "string", "format": "entity", "blueprint": "service"}}, "owner": {"type": "string", "format": "user"}, "squad": {"type": "string", "format": "team"}, "cleared": {"type": "string"}, "open": {"type": "string"}, "zz": ` + shows(".form") + `}, "order": ["one", "all", "owner", "squad", "zz"]}`,
			`{"one": {"identifier": "cart"}, "all": ["cart"], "owner": "a@b.c", "squad": "core", "cleared": ""}`,
			`{"one": {` + seenCart + `, ` + auditOfSeeds + `}, "all": [{` + seenCart + `, ` + auditOfSeeds + `}], "owner": "a@b.c", "squad": "core", "cleared": "", "zz": {"one": {` + seenCart + `, ` + auditOfSeeds + `}, "all": [{` + seenCart + `, ` + auditOfSeeds + `}], "owner": "a@b.c", "squad": "core", "cleared": ""}}`, "",
		},
		{`{"properties": {"a": ` + shows(".entity") + `, "b": ` + shows(`{operation: .trigger.operation, user: .trigger.by.user, keys: keys}`) + `}}`, `{}`, `{"a": {` + seenCart + `, ` + auditOfSeeds + `}, "b": {"operation": "DAY-2", "user": {}, "keys": ["entity", "form", "trigger", "user"]}}`, ""},
	}, "")
	// rows: act F3
	f.compute([]computed{{`{"properties": {"a": ` + shows(".user") + `}}`, `{}`, `{"a": {"email": ""}}`, ""}}, "")
	f.compute([]computed{{
		`{"properties": {"a": ` + shows(`.user | {email, name, picture, mainRole, roles, teams, teamsIdentifiers, identifier, title, team, status: .properties.status, relations, id: (.userId | type)}`) + `, "b": ` + shows(`.trigger.by.user | {email, firstName}`) + `, "c": {"type": "string", "format": "user", "default": {"jqQuery": ".user.email"}}}}`, `{}`,
		`{"a": {"email": "ann@x.io", "name": "Ann B", "picture": null, "mainRole": "Member", "roles": [{"name": "Member"}], "teams": [{"name": "Core", "provider": "port"}], "teamsIdentifiers": ["core"], "identifier": "ann@x.io", "title": "Ann B", "team": ["core"], "status": "Active", "relations": {"teams": [{"identifier": "core"}]}, "id": "string"}, "b": {"email": "ann@x.io", "firstName": "Ann"}, "c": "ann@x.io"}`, "",
	}}, "?run_as=ann@x.io")
	// rows: act F5
	f.compute([]computed{{`{"properties": {"a": {"type": "string", "default": "A", "visible": false}, "b": {"type": "string", "default": {"jqQuery": ".form.a"}, "visible": {"jqQuery": "false"}}}}`, `{}`, `{"a": "A", "b": "A"}`, ""}}, "")
	// rows: act F2
	f.p.Must(http.MethodPost, "/v1/actions", decodeJSON(t, `{"identifier": "create", "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "self-service", "operation": "CREATE", "blueprintIdentifier": "service", "userInputs": {"properties": {"a": `+shows("{entity, o: .trigger.operation}")+`}}}}`))
	if got, _ := f.run("create", `{}`, ""); !jsonv.Equal(got, decodeJSON(t, `{"a": {"entity": null, "o": "CREATE"}}`)) {
		t.Errorf("the program of a CREATE action sees %s", jsonv.Encode(got))
	}
}

// Rules of datasets and of conditions, and what is wrong with them.
func TestRulesOfDatasetsTakeWhatTheyShould(t *testing.T) {
	t.Parallel()
	f := newForms(t)
	for _, c := range [][2]string{
		// rows: act §2.6 1
		{`{"property": "tier", "operator": "=", "value": null}`, ""}, {`{"property": "tier", "operator": "!=", "value": 1}`, ""}, {`{"property": "tier", "operator": "=", "value": true}`, ""}, {`{"property": "tier", "operator": "=", "value": "2024-01-01T00:00:00Z"}`, ""},
		{`{"property": "tier", "operator": "contains", "value": "x"}`, ""}, {`{"property": "tier", "operator": "doesNotContains", "value": "x"}`, ""}, {`{"property": "tier", "operator": "beginsWith", "value": "x"}`, ""}, {`{"property": "tier", "operator": "doesNotBeginsWith", "value": "x"}`, ""}, {`{"property": "tier", "operator": "endsWith", "value": "x"}`, ""}, {`{"property": "tier", "operator": "doesNotEndsWith", "value": {"jqQuery": ""}}`, ""},
		{`{"property": "$team", "operator": "containsAny", "value": {"jqQuery": ".user.team"}}`, ""}, {`{"property": "tier", "operator": "in", "value": ["a"]}`, ""}, {`{"property": "tier", "operator": "in", "value": [1]}`, ""}, {`{"property": "tier", "operator": "notIn", "value": [true]}`, ""}, {`{"property": "tier", "operator": "in", "value": {"jqQuery": "((("}}`, ""},
		{`{"property": {"context": "user", "property": "x"}, "operator": "=", "value": "x"}`, ""}, {`{"property": "tier", "operator": "in", "value": {"context": "userTeams", "property": "$identifier"}}`, ""},
		{`{"property": "tier", "operator": "like", "value": "x"}`, "/operator enum"}, {`{"property": "tier", "operator": "=", "value": "x", "y": 1}`, "/y additionalProperties"}, {`{"property": "tier", "operator": "="}`, "/value required"}, {`{"operator": "=", "value": 1}`, "/property required"}, {`{"property": "tier", "value": 1}`, "/operator required"},
		{`{"property": "tier", "operator": "=", "value": {"jqQuery": "x", "y": 1}}`, "/value type"}, {`{"property": "tier", "operator": "=", "value": {"x": 1}}`, "/value type"},
		// rows: act §2.6 2
		{`{"property": "n", "operator": ">", "value": 1.5}`, ""}, {`{"property": "n", "operator": ">=", "value": "2024-01-01T00:00:00Z"}`, ""}, {`{"property": "n", "operator": "<", "value": {"jqQuery": "1"}}`, ""}, {`{"property": "n", "operator": "<=", "value": {"context": "user", "property": "x"}}`, ""},
		{`{"property": "n", "operator": ">", "value": "x"}`, "/value type"}, {`{"property": "n", "operator": ">", "value": [1]}`, "/value type"},
		// rows: act §2.6 3
		{`{"property": "$createdAt", "operator": "between", "value": {"from": "2024-01-01T00:00:00Z", "to": "2024-02-01T00:00:00Z"}}`, ""}, {`{"property": "$createdAt", "operator": "notBetween", "value": {"preset": "last12Months"}}`, ""}, {`{"property": "$createdAt", "operator": "=", "value": {"preset": "today"}}`, ""},
		{`{"property": "$createdAt", "operator": "between", "value": {"preset": "someday"}}`, "/value/preset format"}, {`{"property": "$createdAt", "operator": "between", "value": {"from": "2024-01-01T00:00:00Z"}}`, "/value/to required"},
		// rows: act §2.6 4-5
		{`{"property": "tier", "operator": "isEmpty"}`, ""}, {`{"property": "tier", "operator": "isNotEmpty"}`, ""}, {`{"property": "tier", "operator": "isExpired"}`, ""}, {`{"property": "tier", "operator": "isNotExpired"}`, ""},
		{`{"property": "tier", "operator": "isEmpty", "x": 1}`, "/x additionalProperties"}, {`{"property": "tier", "operator": "isExpired", "value": 1}`, "/value additionalProperties"}, {`{"operator": "isNotEmpty"}`, "/property required"},
		// rows: act §2.6 6
		{`{"operator": "relatedTo", "blueprint": "service", "value": "x"}`, ""}, {`{"operator": "relatedTo", "blueprint": "service", "value": ["x"], "direction": "upstream", "required": true}`, ""}, {`{"operator": "relatedTo", "blueprint": "service", "value": {"jqQuery": "x"}, "direction": "downstream"}`, ""},
		{`{"operator": "relatedTo", "value": 1, "direction": "up", "required": "yes", "x": 1}`, "/blueprint required, /direction enum, /required type, /value type, /x additionalProperties"},
		// rows: act §2.6 7
		{`{"propertySchema": {"type": "string", "format": "user"}, "operator": "=", "value": {"jqQuery": ".user.email"}}`, ""}, {`{"propertySchema": {"type": "array", "items": {"type": "string", "format": "url"}}, "operator": "contains", "value": "x"}`, ""}, {`{"propertySchema": {"type": "number"}, "operator": "!=", "value": null}`, ""},
		{`{"propertySchema": {"format": 1, "x": 1, "items": {}}, "operator": "=", "value": 1}`, "/propertySchema/format type, /propertySchema/items/type required, /propertySchema/type required, /propertySchema/x additionalProperties"},
		// rows: act §2.6 8
		{`{"operator": "matchAny", "property": "tier", "value": ["a"]}`, ""}, {`{"operator": "matchAny", "property": {"context": "user", "property": "x"}, "value": "a"}`, ""}, {`{"operator": "matchAny", "property": {"path": ["domain", {"relation": "r", "maxHops": 15}], "fromBlueprint": "x"}, "value": {"context": "userTeams", "property": "$identifier"}}`, ""},
		{`{"operator": "matchAny", "property": {"path": ["domain", {"relation": "r", "maxHops": 16}]}, "value": ["a"]}`, "/property/path/1/maxHops type"}, {`{"operator": "matchAny", "property": {"path": [], "x": 1}, "value": ["a"]}`, "/property/path type, /property/x additionalProperties"},
		// rows: act §2.6 9
		{`{"combinator": "or", "rules": [{"combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": {"jqQuery": "x"}}]}]}`, ""}, {`{"combinator": "and", "rules": []}`, ""},
		{`{"combinator": "xor", "rules": [1]}`, "/combinator enum, /rules/0 type"}, {`{"combinator": "and"}`, "/rules required"}, {`{"rules": []}`, "/combinator required"}, {`1`, " type"},
	} {
		_, got := f.write(`{"properties": {"i": {"type": "string", "format": "entity", "blueprint": "service", "dataset": {"combinator": "and", "rules": [` + c[0] + `]}}}}`)
		if strings.ReplaceAll(got, "/properties/i/dataset/rules/0", "") != c[1] {
			t.Errorf("%s: %q, want %q", c[0], got, c[1])
		}
	}
}

// Whatever is wrong with the value of a secret input, neither the answer nor the record
// of the refusal repeats it.
func TestRefusedSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	f := newForms(t)
	const secret = "hunter2secret"
	for _, c := range [][3]string{
		{`{"type": "string", "pattern": "^x$"`, `"` + secret + `"`, "pattern"},
		{`{"type": "string", "pattern": {"jqQuery": "\"^x$\""}`, `"` + secret + `"`, "pattern"},
		{`{"type": "string", "minLength": 50`, `"` + secret + `"`, "minLength"},
		{`{"type": "string", "enum": ["x"]`, `"` + secret + `"`, "enum"},
		{`{"type": "string", "format": "email"`, `"` + secret + `"`, "format"},
		{`{"type": "string", "format": "entity", "blueprint": "service"`, `"` + secret + `"`, "notFound"},
		{`{"type": "string"`, `["` + secret + `"]`, "type"},
		{`{"type": "object"`, `"` + secret + `"`, "type"},
		{`{"type": "object", "additionalProperties": false`, `{"` + secret + `": 1}`, "additionalProperties"},
	} {
		action, faults := f.write(`{"properties": {"i": ` + c[0] + `, "encryption": "aes256-gcm"}}}`)
		if faults != "" {
			t.Fatalf("%s: %s", c[0], faults)
		}
		a := f.p.Call(http.MethodPost, "/v1/actions/"+action+"/runs", jsonv.Object{"entity": "cart", "properties": decodeJSON(t, `{"i": `+c[1]+`}`)})
		if got := faultsOf(a, "/properties"); got != "/i "+c[2] {
			t.Errorf("%s: %s, want %s", c[0], got, c[2])
		}
		if strings.Contains(a.Text, secret) {
			t.Errorf("%s: the answer repeats the secret: %s", c[0], a.Text)
		}
	}
	if a := f.p.Call(http.MethodGet, "/v1/audit-log?limit=100", nil); strings.Contains(a.Text, secret) || !strings.Contains(a.Text, "FAILURE") {
		t.Errorf("the audit log: %s", a.Text)
	}
}
