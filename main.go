// The binary is a Terraform provider for Port, and with "portal" as its first
// argument the reference backend that the provider can also run inside itself.
package main

import (
	"context"
	"os"

	"github.com/portlens/terraform-provider-port/internal/cli"
)

// version is set when a release is built.
var version = "dev"

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.System(version)))
}
