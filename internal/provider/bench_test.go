package provider_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

// BenchmarkPlan plans unchanged resources with the real CLI and our program, and
// with a provider of the same schema that does nothing, turn by turn, so that a
// busy machine hits both. It reports medians: seconds of wall clock and of
// provider CPU for each, and the ratios (design: at most 2, aimed at 1.5).
func BenchmarkPlan(b *testing.B) {
	for _, many := range []int{1000, 1500} {
		b.Run(fmt.Sprintf("entities=%d", many), func(b *testing.B) { benchmarkPlan(b, many) })
	}
}

func benchmarkPlan(b *testing.B, many int) {
	program, floor := programs(b)
	p := portaltest.Start(b, portaltest.Options{Unchecked: true})
	ours, theirs := metered(b, p, program, many), metered(b, p, floor, many)
	var wall, cpu, floorWall, floorCPU []float64
	b.ResetTimer()
	for range b.N {
		w, c := ours.plan(b)
		wall, cpu = append(wall, w), append(cpu, c)
		w, c = theirs.plan(b)
		floorWall, floorCPU = append(floorWall, w), append(floorCPU, c)
	}
	b.ReportMetric(median(wall), "wall-s")
	b.ReportMetric(median(floorWall), "floor-wall-s")
	b.ReportMetric(median(cpu), "provider-cpu-s")
	b.ReportMetric(median(floorCPU), "floor-cpu-s")
	b.ReportMetric(median(wall)/median(floorWall), "wall-ratio")
	b.ReportMetric(median(cpu)/median(floorCPU), "cpu-ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkApply creates, changes and destroys entities with both providers.
func BenchmarkApply(b *testing.B) {
	const many = 300
	program, floor := programs(b)
	p := portaltest.Start(b, portaltest.Options{Unchecked: true})
	p.Seed(catalogSeed)
	config, _, _ := crowd(many)
	changed := strings.ReplaceAll(config, `lang = "go"`, `lang = "rust"`)
	steps := []struct {
		name, config string
		args         []string
	}{{"create", config, nil}, {"change", changed, nil}, {"destroy", changed, []string{"-destroy"}}}
	for range b.N {
		ours, theirs := terminalFor(b, p, program), terminalFor(b, p, floor)
		for _, s := range steps {
			wall, cpu := ours.apply(b, s.config, s.args...)
			floorWall, floorCPU := theirs.apply(b, s.config, s.args...)
			b.ReportMetric(wall/floorWall, s.name+"-wall-ratio")
			b.ReportMetric(cpu, s.name+"-provider-cpu-s")
			b.ReportMetric(floorCPU, s.name+"-floor-cpu-s")
		}
	}
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// meter plans with one provider and measures it.
type meter struct {
	cli *tfcli.CLI
	cpu string // file that the provider's times go to
}

func metered(b *testing.B, p *portaltest.Portal, program string, many int) *meter {
	b.Helper()
	m := terminalFor(b, p, program)
	config, state, entities := crowd(many)
	m.write(b, "main.tf", source+config)
	m.write(b, "terraform.tfstate", state)
	if p.Call("GET", "/v1/blueprints/service", nil).Status != 200 {
		p.Seed(catalogSeed)
		p.Seed(entities)
	}
	return m
}

// programs builds our program and the one that does nothing.
func programs(b *testing.B) (ours, floor string) {
	b.Helper()
	ours, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	floor = filepath.Join(b.TempDir(), "floor")
	if text, err := exec.Command("go", "build", "-o", floor, "./bench/floor").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, text)
	}
	return ours, floor
}

// terminalFor is an empty folder and a CLI that uses the program.
func terminalFor(b *testing.B, p *portaltest.Portal, program string) *meter {
	b.Helper()
	home, dir, bin := b.TempDir(), b.TempDir(), b.TempDir()
	m := &meter{cpu: filepath.Join(home, "times")}
	// A shell in between knows what its child used.
	wrapper := filepath.Join(bin, "terraform-provider-port")
	script := fmt.Sprintf("#!/bin/sh\n%q \"$@\"\ntimes >> %q\n", program, m.cpu)
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil { //nolint:gosec // it must be executable
		b.Fatal(err)
	}
	cli, err := tfcli.Override(home, dir, wrapper, "portlens/port")
	if err != nil {
		b.Fatal(err)
	}
	cli.Env = append(append(cli.Env, online(p)...), "PORT_RATE_LIMIT_DISABLED=1")
	m.cli = cli
	return m
}

func (m *meter) write(b *testing.B, name, text string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(m.cli.Dir, name), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// crowd is a configuration of many entities, the state it is in and the entities
// themselves.
func crowd(many int) (config, state, entities string) {
	list, states := make([]any, many), make([]jsonv.Object, many)
	for i := range many {
		id, title, ports := fmt.Sprintf("s%d", i), fmt.Sprintf("Service %d", i), []any{jsonv.Int(i)}
		list[i] = jsonv.Object{
			"blueprint": "service", "identifier": id, "title": title,
			"properties": jsonv.Object{"lang": "go", "note": title, "load": jsonv.Int(i), "live": true, "ports": ports},
			"relations":  jsonv.Object{"env": "prod"},
		}
		states[i] = jsonv.Object{
			"id": "service:" + id, "blueprint": "service", "identifier": id, "title": title, "icon": nil, "run_id": nil, "teams": nil,
			"properties": jsonv.Object{
				"string_props": jsonv.Object{"lang": "go", "note": title}, "number_props": jsonv.Object{"load": jsonv.Int(i)},
				"boolean_props": jsonv.Object{"live": true}, "object_props": nil,
				"array_props": jsonv.Object{"string_items": nil, "number_items": jsonv.Object{"ports": ports}, "boolean_items": nil, "object_items": nil},
			},
			"relations":                       jsonv.Object{"single_relations": jsonv.Object{"env": "prod"}, "many_relations": nil},
			"create_missing_related_entities": false,
			"created_at":                      "2024-01-01 00:00:00 +0000 UTC", "created_by": portaltest.ClientID,
			"updated_at": "2024-01-01 00:00:00 +0000 UTC", "updated_by": portaltest.ClientID,
		}
	}
	config = fmt.Sprintf(`resource "port_entity" "many" {
  count      = %d
  blueprint  = "service"
  identifier = "s${count.index}"
  title      = "Service ${count.index}"
  properties = {
    string_props  = { lang = "go", note = "Service ${count.index}" }
    number_props  = { load = count.index }
    boolean_props = { live = true }
    array_props   = { number_items = { ports = [count.index] } }
  }
  relations = { single_relations = { env = "prod" } }
}`, many)
	return config, stateFile("portlens/port", "port_entity", "many", states...), string(jsonv.Encode(jsonv.Object{"entities": list}))
}

// plan runs one plan, which must be empty, and returns seconds of wall clock and
// of the provider's CPU.
func (m *meter) plan(b *testing.B) (wall, cpu float64) {
	b.Helper()
	return m.run(b, "plan", "-detailed-exitcode", "-input=false", "-no-color")
}

// apply brings about a configuration.
func (m *meter) apply(b *testing.B, config string, args ...string) (wall, cpu float64) {
	b.Helper()
	m.write(b, "main.tf", source+config)
	return m.run(b, append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, args...)...)
}

func (m *meter) run(b *testing.B, args ...string) (wall, cpu float64) {
	b.Helper()
	if err := os.RemoveAll(m.cpu); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if _, err := m.cli.Must(b.Context(), 0, args...); err != nil {
		b.Fatal(err)
	}
	wall = time.Since(start).Seconds()
	text, err := os.ReadFile(m.cpu)
	if err != nil {
		b.Fatal(err)
	}
	// Two lines for each process that ran: the shell's own times, which are
	// nothing, and its children's, as in 0m1.23s 0m0.45s.
	for _, f := range strings.Fields(string(text)) {
		d, err := time.ParseDuration(f)
		if err != nil {
			b.Fatal(err)
		}
		cpu += d.Seconds()
	}
	return wall, cpu
}
