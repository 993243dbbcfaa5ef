// Command docgen is `make docs`: it asks the built provider for its schema
// through the Terraform CLI and lets tfplugindocs write docs/ from it, from
// templates/ and from examples/. It fails when an attribute has no description.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/portlens/terraform-provider-port/internal/provider"
	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

const address = "registry.terraform.io/portlens/port"

func main() {
	binary := flag.String("provider", "bin/terraform-provider-port", "the built provider")
	generator := flag.String("tfplugindocs", "bin/tfplugindocs", "the built generator")
	flag.Parse()
	if err := run(context.Background(), *binary, *generator); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, generator string) (err error) {
	home, err := os.MkdirTemp("", "port-docs-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	schema, err := providerSchema(ctx, home, binary)
	if err != nil {
		return err
	}
	file := filepath.Join(home, "schema.json")
	if err := os.WriteFile(file, schema, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, generator, "generate", "--provider-name", "port", "--rendered-provider-name", "Port", "--providers-schema", file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", generator, err, out)
	}
	return nil
}

// providerSchema returns the schema document under the one address that
// tfplugindocs looks for.
func providerSchema(ctx context.Context, home, binary string) ([]byte, error) {
	module := filepath.Join(home, "module")
	if err := os.Mkdir(module, 0o755); err != nil {
		return nil, err
	}
	const root = "terraform {\n  required_providers {\n    port = { source = \"portlens/port\" }\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(module, "main.tf"), []byte(root), 0o600); err != nil {
		return nil, err
	}
	cli, err := tfcli.Override(home, module, binary, "portlens/port")
	if err != nil {
		return nil, err
	}
	out, err := cli.Must(ctx, 0, "providers", "schema", "-json")
	if err != nil {
		return nil, err
	}
	start := strings.Index(out, `{"format_version"`)
	if start < 0 {
		return nil, fmt.Errorf("terraform printed no schema:\n%s", out)
	}
	var document struct {
		Version string                     `json:"format_version"`
		Schemas map[string]json.RawMessage `json:"provider_schemas"`
	}
	if err := json.NewDecoder(strings.NewReader(out[start:])).Decode(&document); err != nil {
		return nil, err
	}
	schema, ok := document.Schemas[address]
	if !ok {
		return nil, fmt.Errorf("no schema of %s in the answer", address)
	}
	if missing := undescribed(schema); len(missing) > 0 {
		return nil, fmt.Errorf("attributes without a description:\n  %s", strings.Join(missing, "\n  "))
	}
	schema, err = withIdentities(ctx, schema)
	if err != nil {
		return nil, err
	}
	document.Schemas = map[string]json.RawMessage{"registry.terraform.io/hashicorp/port": schema}
	return json.Marshal(document)
}

// withIdentities adds the identity schemas, which the CLI prints from version
// 1.12 on only: the pages must not depend on the CLI that made them.
func withIdentities(ctx context.Context, schema json.RawMessage) (json.RawMessage, error) {
	server, err := providerserver.NewProtocol6WithError(provider.New("docs", nil)())()
	if err != nil {
		return nil, err
	}
	answer, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, err
	}
	identities := map[string]any{}
	for name, identity := range answer.IdentitySchemas {
		attributes := map[string]any{}
		for _, a := range identity.IdentityAttributes {
			attributes[a.Name] = map[string]any{
				"type": "string", "description": a.Description,
				"required_for_import": a.RequiredForImport, "optional_for_import": a.OptionalForImport,
			}
		}
		identities[name] = map[string]any{"version": identity.Version, "attributes": attributes}
	}
	var provider map[string]any
	if err := json.Unmarshal(schema, &provider); err != nil {
		return nil, err
	}
	provider["resource_identity_schemas"] = identities
	return json.Marshal(provider)
}

// undescribed lists the attributes that have no text for a reader.
func undescribed(schema json.RawMessage) []string {
	var root any
	if err := json.Unmarshal(schema, &root); err != nil {
		return []string{err.Error()}
	}
	var missing []string
	var walk func(v any, path string)
	walk = func(v any, path string) {
		o, ok := v.(map[string]any)
		if !ok {
			return
		}
		for key, child := range o {
			attributes, ok := child.(map[string]any)
			if key != "attributes" || !ok {
				walk(child, path+"."+key)
				continue
			}
			for name, a := range attributes {
				here := path + "." + name
				if attribute, ok := a.(map[string]any); ok && attribute["description"] == nil {
					missing = append(missing, here)
				}
				walk(a, here)
			}
		}
	}
	walk(root, "")
	return missing
}
