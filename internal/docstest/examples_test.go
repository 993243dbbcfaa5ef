package docstest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

const requiredProviders = "terraform {\n  required_providers {\n    port = { source = \"portlens/port\" }\n  }\n}\n"

func TestEveryExampleAppliesPlansEmptyAndImports(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"resources/*/resource*.tf", "data-sources/*/data-source.tf", "ephemeral-resources/*/ephemeral-resource.tf"} {
		files, err := filepath.Glob(filepath.Join(root, "examples", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no examples match %s: %v", pattern, err)
		}
		for _, file := range files {
			name, main := filepath.Base(filepath.Dir(file)), filepath.Base(file) == "resource.tf"
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cli := overridden(t)
				write(t, cli.Dir, "versions.tf", requiredProviders)
				write(t, cli.Dir, "main.tf", read(t, file))
				must(t, cli, 0, "apply", "-auto-approve", "-no-color")
				must(t, cli, 0, "plan", "-detailed-exitcode", "-no-color")
				script, err := os.ReadFile(filepath.Join(filepath.Dir(file), "import.sh"))
				if err == nil && main {
					address, id := importCommand(t, string(script))
					if ofRuns[name] {
						id = runID(t, cli, address)
					}
					must(t, cli, 0, "state", "rm", address)
					must(t, cli, 0, "import", "-no-color", address, id)
					if ofRuns[name] {
						out := must(t, cli, 0, "apply", "-auto-approve", "-no-color")
						if !strings.Contains(out, "0 added, 1 changed, 0 destroyed") {
							t.Errorf("want nothing but settings to be taken up:\n%s", out)
						}
					}
					must(t, cli, 0, "plan", "-detailed-exitcode", "-no-color")
				} else if main {
					t.Errorf("%s has no import.sh beside it", file)
				}
				must(t, cli, 0, "destroy", "-auto-approve", "-no-color")
			})
		}
	}
}

func TestImportBlocksWorkLong(t *testing.T) {
	t.Parallel()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("runs in the long suites: every resource is imported by its import.sh in the short one")
	}
	files, err := filepath.Glob(filepath.Join(root, "examples/resources/*/import-by-string-id.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no import blocks: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			t.Parallel()
			cli := overridden(t)
			write(t, cli.Dir, "versions.tf", requiredProviders)
			write(t, cli.Dir, "main.tf", read(t, filepath.Join(filepath.Dir(file), "resource.tf")))
			must(t, cli, 0, "apply", "-auto-approve", "-no-color")
			block := read(t, file)
			address := regexp.MustCompile(`to = (\S+)`).FindStringSubmatch(block)[1]
			want := "1 imported, 0 added, 0 changed, 0 destroyed"
			if ofRuns[filepath.Base(filepath.Dir(file))] {
				block = someRun.ReplaceAllLiteralString(block, runID(t, cli, address))
				want = "1 imported, 0 added, 1 changed, 0 destroyed"
			}
			must(t, cli, 0, "state", "rm", address)
			write(t, cli.Dir, "import.tf", block)
			out := must(t, cli, 0, "apply", "-auto-approve", "-no-color")
			if !strings.Contains(out, want) {
				t.Errorf("want a pure import:\n%s", out)
			}
		})
	}
}

// ofRuns are the resources about runs. Port makes the IDs of runs, so that examples
// can only show what one looks like; and they have settings that an import cannot
// know.
var ofRuns = map[string]bool{"port_action_run": true, "port_action_run_approval": true}

var someRun = regexp.MustCompile(`\br_[0-9A-Za-z]{16}\b`)

// runID is the ID of the run behind a resource.
func runID(t *testing.T, cli *tfcli.CLI, address string) string {
	t.Helper()
	shown := must(t, cli, 0, "state", "show", "-no-color", address)
	for line := range strings.Lines(shown) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "id" {
			return strings.Trim(words[2], `"`)
		}
	}
	t.Fatalf("no ID of a run in:\n%s", shown)
	return ""
}

// importCommand reads `terraform import ADDRESS ID` from an import.sh.
func importCommand(t *testing.T, script string) (address, id string) {
	t.Helper()
	for line := range strings.Lines(script) {
		if words := strings.Fields(line); len(words) == 4 && words[0] == "terraform" && words[1] == "import" {
			return words[2], words[3]
		}
	}
	t.Fatalf("no import command in %q", script)
	return "", ""
}

func TestWholeExamplesApply(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"portal", "users-and-teams"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cli := overridden(t)
			if err := os.CopyFS(cli.Dir, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
				t.Fatal(err)
			}
			must(t, cli, 0, "apply", "-auto-approve", "-no-color")
			must(t, cli, 0, "plan", "-detailed-exitcode", "-no-color")
			must(t, cli, 0, "destroy", "-auto-approve", "-no-color")
		})
	}
}

func TestTheModulesTestsRunOffline(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Glob(filepath.Join(root, "examples/modules/*"))
	if err != nil || len(modules) == 0 {
		t.Fatalf("no modules: %v", err)
	}
	for _, module := range modules {
		t.Run(filepath.Base(module), func(t *testing.T) {
			t.Parallel()
			cli := workspace(t)
			if err := os.CopyFS(cli.Dir, os.DirFS(module)); err != nil {
				t.Fatal(err)
			}
			must(t, cli, 0, "init", "-no-color")
			out := must(t, cli, 0, "test", "-no-color")
			if !regexp.MustCompile(`Success! [1-9][0-9]* passed, 0 failed`).MatchString(out) {
				t.Errorf("want passing runs:\n%s", out)
			}
		})
	}
}

func TestExamplesAreFormatted(t *testing.T) {
	t.Parallel()
	cli := workspace(t)
	examples, err := filepath.Abs(filepath.Join(root, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	must(t, cli, 0, "fmt", "-check", "-recursive", examples)
}
