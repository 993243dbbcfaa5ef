// Package docstest holds what users read to the truth: every example is applied
// by the real Terraform CLI on an embedded portal, the example module's tests
// run, and every command of the README and the guides is executed.
package docstest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

// binary is the provider, built once for all tests of the package.
var binary string

const root = "../.."

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "port-docstest-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary folder harms nobody
		binary = filepath.Join(dir, "terraform-provider-port")
		build := exec.Command("make", "--silent", "build", "BIN="+binary)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// workspace is a folder with a root module and a Terraform that finds the build
// under both addresses. The portal is embedded unless env says otherwise.
func workspace(t *testing.T, env ...string) *tfcli.CLI {
	t.Helper()
	return inFolder(t, tfcli.Mirror, env)
}

// overridden is a workspace without `terraform init`, which installs the provider again
// for each folder.
func overridden(t *testing.T) *tfcli.CLI {
	t.Helper()
	return inFolder(t, tfcli.Override, nil)
}

func inFolder(t *testing.T, finds func(home, dir, binary string, sources ...string) (*tfcli.CLI, error), env []string) *tfcli.CLI {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Fatal("these tests need the Terraform CLI on the PATH: ", err)
	}
	home := t.TempDir()
	dir := filepath.Join(home, "module")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cli, err := finds(home, dir, binary, "portlens/port", "port-labs/port-labs")
	if err != nil {
		t.Fatal(err)
	}
	cli.Env = append(cli.Env, "PORT_BASE_URL=embedded:"+filepath.Join(home, "portal.db"), "HOME="+home)
	cli.Env = append(cli.Env, env...)
	return cli
}

// must runs one Terraform command and returns what it printed.
func must(t *testing.T, cli *tfcli.CLI, exitCode int, args ...string) string {
	t.Helper()
	out, err := cli.Must(context.Background(), exitCode, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
