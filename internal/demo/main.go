// Command demo is `make demo`: it applies examples/portal with the real Terraform
// CLI to an embedded portal, shows what was made, shows that a second plan is
// empty, changes one thing behind Terraform's back through the HTTP API, shows
// the drift, and takes everything away again. It needs nothing but Go and
// Terraform and leaves nothing behind.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

func main() {
	binary := flag.String("provider", "bin/terraform-provider-port", "the built provider")
	example := flag.String("example", "examples/portal", "the configuration to apply")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *example); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, example string) (err error) {
	d, err := prepare(binary, example)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"terraform apply, on an embedded portal: no account, no network", d.apply},
		{"What the portal holds now", d.show},
		{"A second plan is empty", d.planEmpty},
		{"Somebody changes the tier of a service by hand, through the API", d.changeByHand},
		{"The plan shows exactly that", d.planDrift},
		{"terraform destroy", d.destroy},
	} {
		fmt.Printf("\n\033[1m▸ %s\033[0m\n", step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
	}
	fmt.Println("\nDone. Nothing is left behind; examples/portal is yours to change.")
	return nil
}

// demo is a copy of the example in a temporary folder, and what runs there.
type demo struct {
	dir    string
	binary string
	cli    *tfcli.CLI
}

func prepare(binary, example string) (*demo, error) {
	dir, err := os.MkdirTemp("", "port-demo-")
	if err != nil {
		return nil, err
	}
	module := filepath.Join(dir, "portal")
	err = os.CopyFS(module, os.DirFS(example))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cli, err := tfcli.Override(dir, module, binary, "portlens/port")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cli.Env = append(cli.Env, "PORT_BASE_URL=embedded:"+filepath.Join(dir, "portal.db"),
		"PORT_CLIENT_ID=demo", "PORT_CLIENT_SECRET=demo-secret")
	return &demo{dir: dir, binary: binary, cli: cli}, nil
}

func (d *demo) apply(ctx context.Context) error {
	out, err := d.cli.Must(ctx, 0, "apply", "-auto-approve", "-no-color")
	show(out, "Apply complete!")
	return err
}

func (d *demo) planEmpty(ctx context.Context) error {
	out, err := d.cli.Must(ctx, 0, "plan", "-detailed-exitcode", "-no-color")
	show(out, "No changes.")
	return err
}

func (d *demo) planDrift(ctx context.Context) error {
	out, err := d.cli.Must(ctx, 2, "plan", "-detailed-exitcode", "-no-color")
	if err != nil {
		return err
	}
	start, end := strings.Index(out, "  # port_entity"), strings.Index(out, "Plan:")
	if start < 0 || end < start || !strings.Contains(out, `"bronze" -> "gold"`) {
		return fmt.Errorf("want a plan that puts the tier back:\n%s", out)
	}
	fmt.Println(out[start:end] + firstLine(out[end:]))
	return nil
}

func (d *demo) destroy(ctx context.Context) error {
	out, err := d.cli.Must(ctx, 0, "destroy", "-auto-approve", "-no-color")
	show(out, "Destroy complete!")
	return err
}

// show lists the catalog as any HTTP client sees it.
func (d *demo) show(ctx context.Context) error {
	return d.withPortal(ctx, func(api *api) error {
		blueprints, err := api.call(ctx, http.MethodGet, "/v1/blueprints", nil)
		if err != nil {
			return err
		}
		for _, b := range objects(blueprints["blueprints"]) {
			id := text(b["identifier"])
			if strings.HasPrefix(id, "_") {
				continue
			}
			answer, err := api.call(ctx, http.MethodGet, "/v1/blueprints/"+id+"/entities", nil)
			if err != nil {
				return err
			}
			entities := objects(answer["entities"])
			names := make([]string, len(entities))
			for i, e := range entities {
				names[i] = text(e["identifier"])
			}
			fmt.Printf("  %-12s %d  %s\n", id, len(names), strings.Join(names, ", "))
		}
		fmt.Println("\n  computed by the portal:")
		for _, c := range []struct {
			blueprint, entity string
			keys              []string
		}{
			{"service", "cart", []string{"domain_title", "languages", "slug", "error_budget"}},
			{"domain", "payments", []string{"services", "gold_services", "lowest_slo"}},
		} {
			answer, err := api.call(ctx, http.MethodGet, "/v1/blueprints/"+c.blueprint+"/entities/"+c.entity, nil)
			if err != nil {
				return err
			}
			entity, _ := answer["entity"].(map[string]any)
			properties, _ := entity["properties"].(map[string]any)
			for i, key := range c.keys {
				c.keys[i] = fmt.Sprintf("%s = %v", key, properties[key])
			}
			fmt.Printf("  %s %s: %s\n", c.blueprint, c.entity, strings.Join(c.keys, ", "))
		}
		return nil
	})
}

func (d *demo) changeByHand(ctx context.Context) error {
	return d.withPortal(ctx, func(api *api) error {
		const path = "/v1/blueprints/service/entities/cart"
		body := map[string]any{"properties": map[string]any{"tier": "bronze"}}
		if _, err := api.call(ctx, http.MethodPatch, path, body); err != nil {
			return err
		}
		fmt.Printf("  PATCH %s {\"properties\":{\"tier\":\"bronze\"}}\n", path)
		return nil
	})
}

// withPortal serves the same data file over HTTP while f runs: the portal is
// one file, whoever opens it.
func (d *demo) withPortal(ctx context.Context, f func(*api) error) (err error) {
	cmd := exec.CommandContext(ctx, d.binary, "portal", "--listen", "127.0.0.1:0", "--data", filepath.Join(d.dir, "portal.db"))
	cmd.Env = append(os.Environ(), d.cli.Env...)
	var logs bytes.Buffer
	cmd.Stderr = &logs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, logs.String())
		}
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the portal did not start: %w", err)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "portal listening on ")
	if !ok {
		return fmt.Errorf("the portal said %q", line)
	}
	a := &api{url: url, client: &http.Client{Timeout: 30 * time.Second}}
	if err := a.login(ctx, "demo", "demo-secret"); err != nil {
		return err
	}
	return f(a)
}

// api is a client of twenty lines, as a script would have it.
type api struct {
	url, token string
	client     *http.Client
}

func (a *api) login(ctx context.Context, id, secret string) error {
	answer, err := a.call(ctx, http.MethodPost, "/v1/auth/access_token", map[string]any{"clientId": id, "clientSecret": secret})
	if err != nil {
		return err
	}
	a.token = text(answer["accessToken"])
	return nil
}

func (a *api) call(ctx context.Context, method, path string, body any) (answer map[string]any, err error) {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer["ok"] != true {
		return nil, fmt.Errorf("%s %s: %s: %v", method, path, resp.Status, answer["message"])
	}
	return answer, nil
}

func objects(v any) []map[string]any {
	list, _ := v.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, e := range list {
		if o, ok := e.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// show prints the lines of out that start with one of the words, indented.
func show(out string, word string) {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, word) {
			fmt.Print("  ", line)
		}
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
