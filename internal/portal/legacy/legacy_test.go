package legacy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

func decode(t *testing.T, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// check is what is wrong with a document that may hold what every route takes.
func check(doc any) string {
	c := &shape.Checker{}
	legacy.Check(c, doc, nil, shape.Takes{"requiredApproval": shape.Anything, "approvalNotification": shape.Anything})
	var out []string
	for _, p := range c.Problems {
		out = append(out, p.Path+" "+p.Keyword)
	}
	return strings.Join(out, "; ")
}

// The document of the requirement, reference/actions.md §1.6.
const sample = `{"identifier": "unique_id", "title": "Title", "icon": "Icon",
 "userInputs": {"properties": {"p1": {"type": "string", "title": "P1", "default": "x"}, "p2": {"type": "number", "title": "P2", "default": 5}},
                "required": [], "order": ["p1", "p2"]},
 "invocationMethod": {"type": "WEBHOOK", "url": "https://example.com"},
 "trigger": "CREATE", "description": "d", "requiredApproval": false, "approvalNotification": {"type": "email"}}`

func action(t *testing.T, method string) jsonv.Object {
	t.Helper()
	doc := decode(t, sample)
	doc["invocationMethod"] = decode(t, method)
	return doc
}

var everyMethod = []string{
	`{"type":"WEBHOOK","url":"https://a.b","agent":true,"synchronized":false,"method":"PUT"}`,
	`{"type":"KAFKA"}`,
	`{"type":"GITHUB","org":"o","repo":"r","workflow":"w.yml","reportWorkflowStatus":false}`,
	`{"type":"GITHUB","org":"o","repo":"r","workflow":"w.yml","omitPayload":true}`,
	`{"type":"GITHUB","org":"o","repo":"r","workflow":"w.yml","omitPayload":true,"omitUserInputs":true}`,
	`{"type":"GITHUB","org":"o","repo":"r","workflow":"w.yml","omitUserInputs":true}`,
	`{"type":"GITLAB","projectName":"p","groupName":"g","agent":true,"defaultRef":"main"}`,
	`{"type":"GITLAB","projectName":"p","groupName":"g","agent":true,"omitPayload":true}`,
	`{"type":"AZURE-DEVOPS","org":"o","webhook":"w"}`,
}

func TestADocumentReadsBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, blueprint := range []string{"", "service", `odd"\one`} {
		for _, method := range everyMethod {
			doc := action(t, method)
			if problems := check(doc); problems != "" {
				t.Fatalf("%s: %s", method, problems)
			}
			current := legacy.Current(doc, blueprint, blueprint != "")
			if want := strings.TrimPrefix(blueprint+"_unique_id", "_"); jsonv.String(current, "identifier") != want {
				t.Errorf("kept as %v", current["identifier"])
			}
			back := legacy.Older(current)
			if blueprint != "" {
				doc["blueprint"] = blueprint
			}
			if diff := cmp.Diff(doc, back); diff != "" {
				t.Errorf("%s of %q: %s", method, blueprint, diff)
			}
		}
	}
}

// Backends receive what they always have: reference/actions.md §1.7, round trip test.
func TestTheMessageIsTheStandardOne(t *testing.T) {
	t.Parallel()
	doc := decode(t, `{"identifier":"scale","trigger":"DAY-2","invocationMethod":{"type":"WEBHOOK","url":"https://example.com"},
		"userInputs":{"properties":{"replicas":{"type":"number"},"left":{"type":"string"},"svc":{"type":"string","format":"entity","blueprint":"service"},"svcs":{"type":"array","items":{"type":"string","format":"entity","blueprint":"service"}}}}}`)
	current := legacy.Current(doc, "service", true)
	evaluation := decode(t, `{"inputs":{"replicas":3,"svc":{"identifier":"a","title":"A"},"svcs":[{"identifier":"a"},{"identifier":"b"}]},
		"trigger":{"by":{"orgId":"org_1","userId":"u_1","user":{"email":"a@b.c"}},"origin":"UI","at":"2024-05-01T10:00:00.000Z","operation":"DAY-2"},
		"entity":{"identifier":"svc-1","title":"S"},"action":{"identifier":"service_scale","title":"Scale","blueprint":"service","encryptedProperties":["x"]},
		"run":{"id":"r_1"}}`)
	want := decode(t, `{"action":"scale","resourceType":"run","status":"TRIGGERED",
		"trigger":{"by":{"orgId":"org_1","userId":"u_1","user":{"email":"a@b.c"}},"origin":"UI","at":"2024-05-01T10:00:00.000Z"},
		"context":{"entity":"svc-1","blueprint":"service","runId":"r_1"},
		"payload":{"entity":{"identifier":"svc-1","title":"S"},"action":{"invocationMethod":{"type":"WEBHOOK","url":"https://example.com"},"trigger":"DAY-2"},
			"properties":{"replicas":3,"svc":"a","svcs":["a","b"]},"censoredProperties":["x"]}}`)
	fill := func(document jsonv.Object) any {
		t.Helper()
		got, _, err := template.Compile(jsonv.Map(current, "invocationMethod", "body"), nil).Eval(t.Context(), document, template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(any(want), fill(evaluation)); diff != "" {
		t.Error(diff)
	}
	evaluation["entity"] = jsonv.Object{}
	created := fill(evaluation)
	for _, at := range [][]string{{"payload", "entity"}, {"context", "entity"}} {
		if v, ok := jsonv.Get(created, at...); !ok || v != nil {
			t.Errorf("%v of a creation: %v", at, v)
		}
	}
}

func TestStepsAndTitlesAreLeftOut(t *testing.T) {
	t.Parallel()
	current := decode(t, `{"identifier":"a","invocationMethod":{"type":"UPSERT_ENTITY","blueprintIdentifier":"b","mapping":{}},
		"trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{"x":{"type":"string"},"y":{"type":"string"}},
			"titles":{"head":{"title":"H"}},"steps":[{"title":"1","order":["head","y"]},{"title":"2","order":["x"]}]}},"createdAt":"t"}`)
	want := decode(t, `{"identifier":"a","trigger":"CREATE","createdAt":"t","invocationMethod":{"type":"UPSERT_ENTITY","blueprintIdentifier":"b","mapping":{}},
		"userInputs":{"properties":{"x":{"type":"string"},"y":{"type":"string"}},"order":["y","x"]}}`)
	if diff := cmp.Diff(want, legacy.Older(current)); diff != "" {
		t.Error(diff)
	}
}

func TestAMessageOfSomebodysOwnIsNotTakenForTheStandardOne(t *testing.T) {
	t.Parallel()
	current := legacy.Current(action(t, everyMethod[0]), "", false)
	body := jsonv.Map(current, "invocationMethod", "body")
	body["more"] = true
	want := decode(t, everyMethod[0])
	if diff := cmp.Diff(want, jsonv.Map(legacy.Older(current), "invocationMethod")); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotTheOlderFormatIsRefused(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`{"publish":true}`:                            "/publish additionalProperties",
		`{"trigger":"UPDATE"}`:                        "/trigger enum",
		`{"identifier":"a b"}`:                        "/identifier pattern",
		`{"identifier":null}`:                         "/identifier type",
		`{"title":1}`:                                 "/title type",
		`{"userInputs":{}}`:                           "/userInputs/properties required",
		`{"userInputs":{"properties":{},"steps":[]}}`: "/userInputs/steps additionalProperties",
		`{"userInputs":{"properties":{"a":{"type":"string","format":"multi-line"}}}}`:                                                                                      "/userInputs/properties/a/format enum",
		`{"userInputs":{"properties":{"a":{"type":"string","format":"entity","blueprint":"b","dataset":{"combinator":"and","rules":[]}}}}}`:                                "/userInputs/properties/a/dataset/rules minItems",
		`{"userInputs":{"properties":{"a":{"type":"string","format":"entity","blueprint":"b","dataset":{"combinator":"and","rules":[{"combinator":"and","rules":[]}]}}}}}`: "/userInputs/properties/a/dataset/rules/0/rules additionalProperties",
		`{"invocationMethod":{"type":"UPSERT_ENTITY"}}`:                                          "/invocationMethod/type enum",
		`{"invocationMethod":{"type":"AZURE_DEVOPS","org":"o","webhook":"w"}}`:                   "/invocationMethod/type enum",
		`{"invocationMethod":{"type":"WEBHOOK"}}`:                                                "/invocationMethod/url required",
		`{"invocationMethod":{"type":"WEBHOOK","url":"here"}}`:                                   "/invocationMethod/url format",
		`{"invocationMethod":{"type":"WEBHOOK","url":"https://a.b","body":{}}}`:                  "/invocationMethod/body additionalProperties",
		`{"invocationMethod":{"type":"WEBHOOK","url":"https://a.b","method":"GET"}}`:             "/invocationMethod/method enum",
		`{"invocationMethod":{"type":"WEBHOOK","url":"https://a.b","agent":"yes"}}`:              "/invocationMethod/agent type",
		`{"invocationMethod":{"type":"GITLAB","projectName":"p","groupName":"g"}}`:               "/invocationMethod/agent required",
		`{"invocationMethod":{"type":"GITLAB","projectName":"p","groupName":"g","agent":false}}`: "/invocationMethod/agent enum",
		`{"invocationMethod":{"type":"GITHUB","org":"o","repo":"r"}}`:                            "/invocationMethod/workflow required",
	} {
		doc := decode(t, sample)
		for key, v := range decode(t, change) {
			doc[key] = v
		}
		if got := check(doc); got != want {
			t.Errorf("%s: %s, want %s", change, got, want)
		}
	}
	if !legacy.Is(decode(t, sample)) || legacy.Is(jsonv.Object{"trigger": jsonv.Object{}}) || legacy.Is(nil) {
		t.Error("the format is not recognised")
	}
	if got := check([]any{}); got != " type" {
		t.Error(got)
	}
}
