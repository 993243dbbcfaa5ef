package portal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/portlens/terraform-provider-port/"

// layers are the packages of the portal, lowest first; a package may import only
// those of lower layers (design: an import may only point down). Packages that
// are not built yet keep their place.
var layers = [][]string{
	{"internal/jsonv", "internal/jq"},
	{"internal/portal/clock", "internal/portal/ident", "internal/portal/fault", "internal/portal/outbound"},
	{"internal/portal/shape", "internal/portal/propschema", "internal/portal/query", "internal/portal/template", "internal/portal/crypt"},
	{"internal/portal/store"},
	{"internal/portal/catalog"},
	{"internal/portal/access"},
	{"internal/portal/identity", "internal/portal/inputs"},
	{"internal/portal/legacy"},
	{"internal/portal/scim", "internal/portal/actions"},
	{"internal/portal/runs", "internal/portal/pages", "internal/portal/integrations", "internal/portal/webhooks", "internal/portal/org"},
	{"internal/portal/invoke"},
	{"internal/portal/events"},
	{"internal/portal/automations"},
	{"internal/portal/httpapi"},
	{"internal/portal"},
	{"internal/portal/portaltest"},
}

// helpers of tests stand beside a layer and may be imported by nobody but tests.
var helpers = []string{"internal/portal/store/storetest", "internal/portal/store/pgtest"}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func layerOf(path string) int {
	for i, layer := range layers {
		if slices.Contains(layer, path) {
			return i
		}
	}
	return -1
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// wrong says why from must not import to, "" when it may.
func wrong(from, to string) string {
	provider := []string{"internal/lens", "internal/portapi", "internal/provider"}
	inProvider := func(p string) bool {
		return slices.ContainsFunc(provider, func(dir string) bool { return under(p, dir) })
	}
	switch {
	case slices.Contains(helpers, to):
		return "a helper of tests"
	case inProvider(from) && under(to, "internal/portal"), under(from, "internal/portal") && inProvider(to):
		return "the other half"
	case under(from, "internal/portal") && !slices.Contains(helpers, from):
		a, b := layerOf(from), layerOf(to)
		switch {
		case a < 0:
			return "from a package that has no layer"
		case b < 0:
			return "which has no layer"
		case b >= a:
			return "which is not below it"
		}
	case under(from, "internal/jsonv"), under(from, "internal/jq"):
		if to != "internal/jsonv" {
			return "although it knows nothing of the rest"
		}
	}
	return ""
}

func TestImportsPointDownAndTheHalvesNeverMeet(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			seen++
			if why := wrong(from, to); why != "" {
				t.Errorf("%s imports %s: %s", from, to, why)
			}
		}
		if slices.Contains(p.Imports, "net/http/httptest") && from != "internal/portal/portaltest" && !under(from, "internal/lens") {
			t.Errorf("%s imports net/http/httptest outside of tests", from)
		}
	}
	if seen < 30 {
		t.Errorf("only %d imports were looked at", seen)
	}
}

func TestTheRuleOfImportsCatchesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{
		"internal/portal/store":      "internal/portal/catalog",
		"internal/portal/catalog":    "internal/portal/httpapi",
		"internal/portal/httpapi":    "internal/portal",
		"internal/provider":          "internal/portal",
		"internal/portapi":           "internal/portal/fault",
		"internal/portal/identity":   "internal/portapi",
		"internal/lens":              "internal/portal/clock",
		"internal/portal/unheard-of": "internal/jsonv",
		"internal/portal":            "internal/portal/store/storetest",
		"internal/jq":                "internal/portal/fault",
		"internal/portal/query":      "internal/portal/propschema",
	} {
		if wrong(from, to) == "" {
			t.Errorf("%s may import %s", from, to)
		}
	}
	for from, to := range map[string]string{
		"internal/portal": "internal/portal/httpapi", "internal/portal/httpapi": "internal/portal/catalog",
		"internal/provider": "internal/portapi", "internal/cli": "internal/portal", "internal/portal/catalog": "internal/jq",
	} {
		if why := wrong(from, to); why != "" {
			t.Errorf("%s must be allowed to import %s: %s", from, to, why)
		}
	}
}
