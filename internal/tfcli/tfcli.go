// Package tfcli runs the real Terraform CLI against a local build of the
// provider, without a network: for the demo, the documentation and the tests of
// examples and modules. Acceptance tests of resources use
// terraform-plugin-testing instead.
package tfcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is the provider version under which [Mirror] offers the build.
const Version = "0.1.0"

// CLI is a Terraform CLI that knows where the build is.
type CLI struct {
	// Dir is where commands run: the root module.
	Dir string
	// Env is added to the process environment.
	Env []string
}

// Override makes a CLI that uses binary for each source through dev_overrides:
// `terraform init` is then neither needed nor useful. The CLI configuration is
// written to home, which must not be the module's folder.
func Override(home, dir, binary string, sources ...string) (*CLI, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	var overrides strings.Builder
	for _, source := range sources {
		fmt.Fprintf(&overrides, "    %q = %q\n", source, filepath.Dir(binary))
	}
	return configured(home, dir, "dev_overrides {\n"+overrides.String()+"  }\n  direct {}")
}

// Mirror makes a CLI that installs the build from a filesystem mirror below
// home, so that `terraform init`, modules and `terraform test` work as they do
// for a published provider. Sources are addresses such as "portlens/port".
func Mirror(home, dir, binary string, sources ...string) (*CLI, error) {
	build, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	mirror := filepath.Join(home, "mirror")
	for _, source := range sources {
		target := filepath.Join(mirror, "registry.terraform.io", source, Version, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return nil, err
		}
		name := "terraform-provider-" + filepath.Base(source) + "_v" + Version
		if err := os.Symlink(build, filepath.Join(target, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return configured(home, dir, fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", mirror))
}

func configured(home, dir, installation string) (*CLI, error) {
	rc := filepath.Join(home, "terraform.rc")
	text := "provider_installation {\n  " + installation + "\n}\n"
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return &CLI{Dir: dir, Env: []string{"TF_CLI_CONFIG_FILE=" + rc, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1"}}, nil
}

// Run runs one command and returns what it printed and its exit code. Only a
// command that could not run at all is an error. Cancelling ctx interrupts
// Terraform as Ctrl-C does.
func (c *CLI) Run(ctx context.Context, args ...string) (output string, exitCode int, err error) {
	cmd := exec.CommandContext(ctx, "terraform", args...)
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return out.String(), exit.ExitCode(), nil
	}
	return out.String(), 0, err
}

// Must is [CLI.Run] for a command that has to end with the given exit code;
// anything else is an error that carries what Terraform printed.
func (c *CLI) Must(ctx context.Context, exitCode int, args ...string) (string, error) {
	out, code, err := c.Run(ctx, args...)
	if err == nil && code != exitCode {
		err = fmt.Errorf("terraform %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, exitCode, out)
	}
	return out, err
}
