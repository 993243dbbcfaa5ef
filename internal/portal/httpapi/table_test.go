package httpapi

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

var name = regexp.MustCompile(`\{[^}]*\}`)

func TestNoOperationStandsTwiceInTheTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range table() {
		key := r.method + " " + name.ReplaceAllString(r.pattern, "{}")
		if seen[key] {
			t.Errorf("%s stands twice", key)
		}
		seen[key] = true
		if strings.HasSuffix(r.pattern, "/") || !strings.HasPrefix(r.pattern, "/") {
			t.Errorf("pattern %q", r.pattern)
		}
	}
}

func TestEveryPublishedOperationIsARoute(t *testing.T) {
	t.Parallel()
	text := beside(t, "shared/reference/port-openapi.json")
	document, err := jsonv.DecodeObject(text)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, r := range table() {
		have[strings.ToLower(r.method)+" "+name.ReplaceAllString(r.pattern, "{}")] = true
	}
	var missing []string
	published := 0
	for path, operations := range jsonv.Map(document, "paths") {
		for method := range jsonv.Map(operations) {
			published++
			if key := method + " " + name.ReplaceAllString(path, "{}"); !have[key] {
				missing = append(missing, key)
			}
		}
	}
	if len(missing) > 0 || published < 100 {
		slices.Sort(missing)
		t.Errorf("%d published, missing: %v", published, missing)
	}
}

// beside finds a file that may stand beside the checkout.
func beside(t *testing.T, file string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			return text
		}
	}
	t.Skipf("%s does not stand beside the checkout", file)
	return nil
}

func TestRoutesAreFoundOnTheEscapedPath(t *testing.T) {
	t.Parallel()
	r := newRouter(table())
	for path, want := range map[string]struct {
		pattern string
		params  []string
	}{
		"GET /v1/blueprints/a":                                   {"/v1/blueprints/{blueprint}", []string{"a"}},
		"GET //v1//blueprints/a":                                 {"", nil},
		"GET ///v1/blueprints/a/":                                {"/v1/blueprints/{blueprint}", []string{"a"}},
		"GET /v1/blueprints/a%2Fb":                               {"/v1/blueprints/{blueprint}", []string{"a/b"}},
		"GET /v1/blueprints/a%252Fb":                             {"/v1/blueprints/{blueprint}", []string{"a%2Fb"}},
		"GET /v1/blueprints/a+b":                                 {"/v1/blueprints/{blueprint}", []string{"a+b"}},
		"GET /v1/blueprints/system":                              {"/v1/blueprints/{blueprint}", []string{"system"}},
		"GET /v1/blueprints/system/_user/structure":              {"/v1/blueprints/system/{blueprint}/structure", []string{"_user"}},
		"GET /v1/blueprints/system/entities/x":                   {"/v1/blueprints/{blueprint}/entities/{entity}", []string{"system", "x"}},
		"POST /v1/blueprints/entities/datasource-entities":       {"/v1/blueprints/entities/datasource-entities", nil},
		"POST /v1/blueprints/entities/entities":                  {"/v1/blueprints/{blueprint}/entities", []string{"entities"}},
		"POST /v1/blueprints/bp/entities/bulk":                   {"/v1/blueprints/{blueprint}/entities/bulk", []string{"bp"}},
		"GET /v1/blueprints/bp/entities/bulk":                    {"/v1/blueprints/{blueprint}/entities/{entity}", []string{"bp", "bulk"}},
		"PATCH /v1/actions/runs/ack":                             {"/v1/actions/runs/ack", nil},
		"POST /v1/actions/runs/claim-pending":                    {"/v1/actions/runs/claim-pending", nil},
		"PATCH /v1/actions/runs/r_1":                             {"/v1/actions/runs/{run}", []string{"r_1"}},
		"GET /v1/integration/provision-enabled":                  {"/v1/integration/provision-enabled", nil},
		"GET /v1/workflows/nodes/runs":                           {"/v1/workflows/nodes/runs", nil},
		"GET /v1/blueprints/":                                    {"/v1/blueprints", nil},
		"GET /v1/blueprints//entities":                           {"", nil},
		"GET /v1/blueprints/a/../b":                              {"", nil},
		"DELETE /v1/blueprints/a%2F..%2Fb/entities/x%20y%24%40z": {"/v1/blueprints/{blueprint}/entities/{entity}", []string{"a/../b", "x y$@z"}},
	} {
		method, escaped, _ := strings.Cut(path, " ")
		route, params := r.find(method, escaped)
		pattern := ""
		if route != nil {
			pattern = route.pattern
		}
		if diff := cmp.Diff(want.pattern, pattern); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if diff := cmp.Diff(want.params, params); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestQueryParametersAreReadInEverySpelling(t *testing.T) {
	t.Parallel()
	q, err := parseQuery("on=TRUE&off=false&garbage=0xc0001&empty=&l=a,b&l=c&l[]=d&l%5B%5D=%20e%20,,&plus=a+b&semi=a;b&&x")
	if err != nil {
		t.Fatal(err)
	}
	c := &Call{query: q}
	got := map[string]bool{}
	for _, name := range []string{"on", "off", "garbage", "empty", "absent"} {
		got[name] = c.flag(name)
	}
	if diff := cmp.Diff(map[string]bool{"on": true, "off": false, "garbage": false, "empty": false, "absent": false}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, c.list("l")); diff != "" {
		t.Error(diff)
	}
	if c.text("plus") != "a b" || c.text("semi") != "a;b" {
		t.Errorf("%q %q", c.text("plus"), c.text("semi"))
	}
	if _, err := parseQuery("a=%zz"); err == nil {
		t.Error("a broken escape must be refused")
	}
}

func TestAcceptEncodingIsReadWithItsWeights(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"gzip": true, "": false, "br": false, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "*": true, "GZIP": true, "gzip; q = 0.0": false,
	} {
		if got := acceptsGzip(map[string][]string{"Accept-Encoding": {header}}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestBodiesNestedTooDeeplyAreRefused(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, err := decodeBody(nested(jsonv.MaxDepth)); err != nil {
		t.Errorf("%d levels: %v", jsonv.MaxDepth, err)
	}
	for _, n := range []int{jsonv.MaxDepth + 2, 9_998} {
		var f *fault.Fault
		if _, err := decodeBody(nested(n)); !errors.As(err, &f) || f.Status != http.StatusUnprocessableEntity {
			t.Errorf("%d levels: %v", n, err)
		}
	}
}
