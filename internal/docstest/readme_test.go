package docstest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

// block is a fenced piece of a page, under the heading it stands below.
type block struct{ heading, language, text string }

func blocks(t *testing.T, page string) []block {
	t.Helper()
	var (
		out     []block
		heading string
		current *block
	)
	for line := range strings.Lines(read(t, filepath.Join(root, page))) {
		switch {
		case strings.HasPrefix(line, "```") && current == nil:
			current = &block{heading: heading, language: strings.TrimSpace(strings.TrimPrefix(line, "```"))}
		case strings.HasPrefix(line, "```"):
			out, current = append(out, *current), nil
		case current != nil:
			current.text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "# "))
		}
	}
	return out
}

// pick returns the blocks of one language under one heading, and fails without.
func pick(t *testing.T, all []block, language, heading string) []string {
	t.Helper()
	var out []string
	for _, b := range all {
		if b.language == language && b.heading == heading {
			out = append(out, b.text)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no %s block under %q", language, heading)
	}
	return out
}

// shell runs a script as a user would type it, in the workspace's folder.
func shell(t *testing.T, cli *tfcli.CLI, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir, cmd.Env = cli.Dir, append(os.Environ(), cli.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(string(out), "")
}

func TestEveryShellBlockIsAccountedFor(t *testing.T) {
	t.Parallel()
	covered := map[string][]string{
		"README.md":                           {"Two commands", "Use it", "Offline, with no account", "With a Port account", "The portal on its own", "The portal on its own"},
		"CONTRIBUTING.md":                     {"Working"},
		"templates/guides/testing-modules.md": {"Testing modules offline"},
		"templates/guides/from-the-official-provider.md":  {"Move for good"},
		"templates/guides/self-service.md":                {"What the backend is sent", "Trying it offline", "Trying it offline", "Trying it offline", "Trying it offline", "Trying it offline"},
		"templates/guides/users-teams-and-permissions.md": {"Testing as somebody else", "Testing as somebody else", "Testing as somebody else"},
	}
	for page, want := range covered {
		var got []string
		for _, b := range blocks(t, page) {
			if b.language == "sh" {
				got = append(got, b.heading)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: shell blocks stand under %q, tests run those under %q", page, got, want)
		}
	}
}

func TestMakeCommandsOfThePagesExistAndCIRunsThem(t *testing.T) {
	t.Parallel()
	makefile, ci := read(t, filepath.Join(root, "GNUmakefile")), read(t, filepath.Join(root, ".ci/run"))
	// docs is checked through docs-check; benchmarks are figures, not tests.
	indirect := map[string]string{"docs": "docs-check", "bench": ""}
	for _, page := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, b := range blocks(t, page) {
			for _, m := range regexp.MustCompile(`(?m)^make ([a-z-]+)`).FindAllStringSubmatch(b.text, -1) {
				target := m[1]
				if !regexp.MustCompile(`(?m)^` + target + `:`).MatchString(makefile) {
					t.Errorf("%s: make %s is no target", page, target)
				}
				run, ok := indirect[target]
				if !ok {
					run = target
				}
				if run != "" && !strings.Contains(ci, "make "+run) {
					t.Errorf("%s: .ci/run does not run make %s", page, run)
				}
			}
		}
	}
}

func TestTheREADMEWorksOffline(t *testing.T) {
	t.Parallel()
	cli, all := workspace(t), blocks(t, "README.md")
	write(t, cli.Dir, "main.tf", pick(t, all, "hcl", "Use it")[0])
	for _, script := range pick(t, all, "sh", "Offline, with no account") {
		shell(t, cli, script)
	}
	if _, err := os.Stat(filepath.Join(cli.Dir, "portal.db")); err != nil {
		t.Errorf("the portal's file is not where the README says: %v", err)
	}
}

func TestTheREADMEWorksAgainstAPortalOverHTTP(t *testing.T) {
	t.Parallel()
	cli, all := workspace(t), blocks(t, "README.md")
	address := freeAddress(t)
	local := func(script string) string {
		return strings.NewReplacer("127.0.0.1:3000", address, "https://api.getport.io", "http://"+address,
			"make build\n", "", "bin/terraform-provider-port", "exec "+binary, "curl -s", "curl -sS --fail-with-body").Replace(script)
	}
	scripts := pick(t, all, "sh", "The portal on its own")
	startPortal(t, cli, local(scripts[0]), address)
	out := shell(t, cli, local(scripts[1]))
	for _, want := range []string{`"accessToken"`, `"ok":true`} {
		if !strings.Contains(out, want) {
			t.Errorf("curl printed %q, want %s", out, want)
		}
	}
	write(t, cli.Dir, "main.tf", pick(t, all, "hcl", "Use it")[0])
	account := strings.NewReplacer("your-client-id", "local", "your-client-secret", "local-secret").
		Replace(local(pick(t, all, "sh", "With a Port account")[0]))
	out = shell(t, cli, "terraform init -no-color\n"+account)
	if !strings.Contains(out, "2 to add") {
		t.Errorf("want a plan of two resources:\n%s", out)
	}
}

// startPortal runs the README's script and waits for the line that it promises.
func startPortal(t *testing.T, cli *tfcli.CLI, script, address string) {
	t.Helper()
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir, cmd.Env, cmd.Stderr = cli.Dir, os.Environ(), os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if want := "portal listening on http://" + address + "\n"; err != nil || line != want {
		t.Errorf("the first line is %q (%v), want %q", line, err, want)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the portal did not stop cleanly: %v", err)
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its address was wanted
	return l.Addr().String()
}

func TestTheTestingGuideWorks(t *testing.T) {
	t.Parallel()
	cli, all := workspace(t), blocks(t, "templates/guides/testing-modules.md")
	if err := os.CopyFS(cli.Dir, os.DirFS(filepath.Join(root, "examples/modules/service-catalog"))); err != nil {
		t.Fatal(err)
	}
	write(t, cli.Dir, "tests/guide.tftest.hcl", pick(t, all, "hcl", "A first test")[0])
	out := shell(t, cli, pick(t, all, "sh", "Testing modules offline")[0])
	if !strings.Contains(out, "guide.tftest.hcl... pass") {
		t.Errorf("the guide's test did not run:\n%s", out)
	}
}

func TestTheOfficialSourceAddressWorksThroughAnOverride(t *testing.T) {
	t.Parallel()
	cli, all := workspace(t), blocks(t, "README.md")
	var rc string
	for _, b := range pick(t, all, "hcl", "Instead of the official provider") {
		rc = strings.Replace(b, "/path/to/terraform-provider-port/bin", filepath.Dir(binary), 1)
	}
	write(t, cli.Dir, "override.rc", rc)
	cli.Env = append(cli.Env, "TF_CLI_CONFIG_FILE="+filepath.Join(cli.Dir, "override.rc"))
	config := pick(t, all, "hcl", "Use it")[0]
	config = strings.Replace(config, `source = "portlens/port", version = "0.1.0"`, `source = "port-labs/port-labs"`, 1)
	write(t, cli.Dir, "main.tf", config)
	must(t, cli, 0, "apply", "-auto-approve", "-no-color")
	must(t, cli, 0, "plan", "-detailed-exitcode", "-no-color")
}

func TestMovingFromTheOfficialProviderPlansEmpty(t *testing.T) {
	t.Parallel()
	cli := workspace(t)
	ours := blocks(t, "README.md")
	config := pick(t, ours, "hcl", "Use it")[0]
	write(t, cli.Dir, "main.tf", strings.Replace(config, `"portlens/port"`, `"port-labs/port-labs"`, 1))
	must(t, cli, 0, "init", "-no-color")
	must(t, cli, 0, "apply", "-auto-approve", "-no-color")
	move := pick(t, blocks(t, "templates/guides/from-the-official-provider.md"), "sh", "Move for good")[0]
	shell(t, cli, strings.Replace(move, "replace-provider", "replace-provider -auto-approve", 1))
	write(t, cli.Dir, "main.tf", config)
	must(t, cli, 0, "init", "-no-color")
	must(t, cli, 0, "plan", "-detailed-exitcode", "-no-color")
}
