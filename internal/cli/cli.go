// Package cli is the command line: it reads arguments and the environment, starts
// the provider or the portal, and turns errors into one line and an exit code. It
// is the one place that knows both halves.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // something could not be done
	exitUsage   = 2 // the command line or the environment is wrong
)

// Env is what the program touches outside of itself.
type Env struct {
	Version        string
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// System is the real environment.
func System(version string) Env {
	return Env{Version: version, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
}

const name = "terraform-provider-port"

const usage = `terraform-provider-port is the Terraform provider for Port and Port's API on your machine.

Usage:
  terraform-provider-port                  serve the provider; Terraform starts it like this
  terraform-provider-port -debug           serve the provider and wait for a debugger
  terraform-provider-port portal [flags]   run the reference portal (portal --help tells more)
  terraform-provider-port version          print the version
  terraform-provider-port --help           print this text

To use the provider, name it in a configuration and run terraform:

  terraform {
    required_providers {
      port = { source = "portlens/port" }
    }
  }

To work without an account, set PORT_BASE_URL=embedded:portal.db: the provider then keeps
everything in that file.
`

const versionUsage = `terraform-provider-port version prints the name and version of the program.

Usage:
  terraform-provider-port version
`

func isHelp(arg string) bool {
	switch arg {
	case "help", "-help", "--help", "-h":
		return true
	}
	return false
}

// Run carries out a command line and returns the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "portal":
		return runPortal(ctx, args[1:], env)
	case "version", "-version", "--version", "-v":
		if len(args) > 1 && isHelp(args[1]) {
			return env.print(versionUsage)
		}
		if len(args) > 1 {
			return env.fail(exitUsage, "", fmt.Errorf("unexpected argument %q after %s", args[1], command))
		}
		return env.print(name + " " + env.Version + "\n")
	case "help", "-help", "--help", "-h":
		if len(args) > 1 && args[1] == "portal" {
			return env.print(portalUsage)
		}
		return env.print(usage)
	}
	if command != "" && !strings.HasPrefix(command, "-") {
		return env.fail(exitUsage, "", fmt.Errorf("unknown command %q", command))
	}
	return runProvider(args, env)
}

func runProvider(args []string, env Env) int {
	flags := newFlags("")
	debug := flags.Bool("debug", false, "")
	if err := flags.Parse(args); err != nil {
		return env.usageError("", usage, err)
	}
	if flags.NArg() > 0 {
		return env.fail(exitUsage, "", fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	if !*debug && env.Getenv("TF_PLUGIN_MAGIC_COOKIE") == "" {
		// Terraform sets the cookie. Somebody who has none has typed the name of
		// the binary to see what it does.
		if _, err := io.WriteString(env.Stderr, "This program is a plugin that Terraform starts by itself.\n\n"+usage); err != nil {
			return exitFailure
		}
		return exitFailure
	}
	if err := provider.Serve(provider.Options{Version: env.Version, Embedded: env.openEmbedded}, *debug); err != nil {
		return env.fail(exitFailure, "", err)
	}
	return exitOK
}

// openEmbedded joins the two halves: the provider learns of the portal here only.
func (e Env) openEmbedded(ctx context.Context, file string) (http.RoundTripper, io.Closer, error) {
	p, err := portal.Open(ctx, portal.Options{
		DataFile: file, PrivateCalls: true, Version: e.Version,
		GitHubURL: e.Getenv("PORT_GITHUB_URL"), GitHubToken: e.Getenv("PORT_GITHUB_TOKEN"),
	})
	if err != nil {
		return nil, nil, err
	}
	return p.Transport(), p, nil
}

func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

func (e Env) print(text string) int {
	if _, err := io.WriteString(e.Stdout, text); err != nil {
		return exitFailure
	}
	return exitOK
}

// usageError answers what parsing flags gives back: the help that was asked for,
// or one line.
func (e Env) usageError(command, help string, err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return e.print(help)
	}
	return e.fail(exitUsage, command, err)
}

// fail writes one line and returns the code.
func (e Env) fail(code int, command string, err error) int {
	text := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
	full := strings.TrimSpace(name + " " + command)
	if code == exitUsage {
		text += " (" + full + " --help tells more)"
	}
	if _, err := fmt.Fprintf(e.Stderr, "%s: %s\n", full, text); err != nil {
		return exitFailure
	}
	return code
}
