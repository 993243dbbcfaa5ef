package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

func TestBlueprintMistakesAreFoundOffline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"a key in two maps":       {`properties = { string_props = { k = {} }, number_props = { k = {} } }`, `"k"`},
		"a key in two kinds":      {`properties = { string_props = { k = {} } }, mirror_properties = { k = { path = "a.$title" } }`, `name space`},
		"enum without default":    {`properties = { string_props = { k = { enum = ["a"], default = "b" } } }`, `not in enum`},
		"bad pattern":             {`properties = { string_props = { k = { pattern = "(" } } }`, `regular expression`},
		"bad object text":         {`properties = { object_props = { k = { default = "[1]" } } }`, `JSON object`},
		"unparsable text":         {`properties = { object_props = { k = { default = "{\"a\":" } } }`, `line 1`},
		"fraction":                {`properties = { string_props = { k = { min_length = 1.5 } } }`, `(?i)integer|whole`},
		"negative":                {`properties = { string_props = { k = { min_length = -1 } } }`, `at least 0`},
		"no enum":                 {`properties = { string_props = { k = { enum = [] } } }`, `at least 1`},
		"enum twice":              {`properties = { string_props = { k = { enum = ["a", "a"] } } }`, `duplicate`},
		"unknown spec":            {`properties = { string_props = { k = { spec = "x" } } }`, `open-api`},
		"embedded url object":     {`properties = { object_props = { k = { spec = "embedded-url" } } }`, `open-api`},
		"login of nothing":        {`properties = { string_props = { k = { spec_authentication = { client_id = "c", token_url = "t", authorization_url = "a" } } } }`, `string_props\["k"\].spec_authentication: Only an embedded URL`},
		"login of a document":     {`calculation_properties = { k = { calculation = ".", type = "string", spec = "open-api", spec_authentication = { client_id = "c", token_url = "t", authorization_url = "a" } } }`, `calculation_properties\["k"\].spec_authentication: Only an embedded URL`},
		"inherited without path":  {`ownership = { type = "Inherited" }`, `path`},
		"direct with path":        {`ownership = { type = "Direct", path = "a" }`, `path`},
		"ownership kind":          {`ownership = { type = "direct" }`, `Direct`},
		"two changelogs":          {`kafka_changelog_destination = {}, webhook_changelog_destination = { url = "https://a.example" }`, `changelog`},
		"colour":                  {`calculation_properties = { k = { calculation = ".", type = "string", colors = { a = "mauve" } } }`, `turquoise`},
		"key with blank":          {`properties = { string_props = { "a b" = {} } }`, `a b`},
		"required to many":        {`relations = { r = { target = "a", many = true, required = true } }`, `many`},
		"no target":               {`relations = { r = { target = "" } }`, `target: it must not be empty`},
		"no webhook":              {`webhook_changelog_destination = { url = "" }`, `url: it must not be empty`},
		"mirror along nothing":    {`mirror_properties = { m = { path = "r.$title" } }`, `no such relation`},
		"owners along nothing":    {`relations = { s = { target = "a" } }, ownership = { type = "Inherited", path = "r.x" }`, `no such relation`},
		"short default":           {`properties = { string_props = { k = { default = "ab", min_length = 3 } } }`, `length 2, and min_length is 3`},
		"long default":            {`properties = { string_props = { k = { default = "äöü", max_length = 2 } } }`, `length 3, and max_length is 2`},
		"default beside pattern":  {`properties = { string_props = { k = { default = "ab", pattern = "^b" } } }`, `does not match the pattern`},
		"small default":           {`properties = { number_props = { k = { default = 0.5, minimum = 1 } } }`, `0.5, and minimum is 1`},
		"great default":           {`properties = { number_props = { k = { default = 2, maximum = 1.5 } } }`, `2, and maximum is 1.5`},
		"line break in a pattern": {`properties = { array_props = { k = { string_items = { pattern = "a\nb" } } } }`, `pattern`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: servers(provider.Options{Transport: unreachable{}, Getenv: environment(map[string]string{
					"PORT_CLIENT_ID": "x", "PORT_CLIENT_SECRET": "x", "PORT_BASE_URL": portaltest.Embedded,
				})}),
				Steps: []resource.TestStep{{
					Config:      "resource \"port_blueprint\" \"this\" {\n  identifier = \"a\"\n  title = \"A\"\n  " + lines(c.body) + "\n}",
					PlanOnly:    true,
					ExpectError: regexp.MustCompile(`(?s)` + strings.ReplaceAll(c.want, " ", `[\s│]+`)),
				}},
			})
		})
	}
}

// lines puts attributes that stand beside each other at the top level on lines of
// their own.
func lines(body string) string {
	depth, out := 0, strings.Builder{}
	quoted := false
	for i, r := range body {
		switch {
		case r == '"' && (i == 0 || body[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		case r == ',' && depth == 0:
			out.WriteString("\n")
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// unreachable is a server that must not be asked.
type unreachable struct{}

func (unreachable) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s %s: the network is down", r.Method, r.URL.Path)
}
