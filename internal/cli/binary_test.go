package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal"
)

// binary is the program under test, built once from the sources.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "terraform-provider-port")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=9.8.7", "-o", binary, "github.com/portlens/terraform-provider-port")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return complain(err)
	}
	return m.Run()
}

func complain(err error) int {
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

// environment is that of the test without anything that concerns the program.
func environment(extra ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PORT_") && !strings.HasPrefix(v, "TF_") {
			env = append(env, v)
		}
	}
	return append(env, extra...)
}

type outcome struct {
	Code           int
	Stdout, Stderr string
}

func runBinary(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, environment(env...)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a portal that serves.
type process struct {
	cmd    *exec.Cmd
	url    string
	stdout *bufio.Reader
	stderr *strings.Builder
}

// launch starts a portal and waits for its first line.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, append([]string{"portal", "--listen", "127.0.0.1:0"}, args...)...)
	p := &process{cmd: cmd, stderr: &strings.Builder{}}
	cmd.Stderr, cmd.Env = p.stderr, environment(env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p.stdout = bufio.NewReader(out)
	line := p.line(t)
	url, ok := strings.CutPrefix(line, "portal listening on ")
	if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("first line %q", line)
	}
	p.url = url
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("stdout: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// stop interrupts the portal and returns its exit code.
func (p *process) stop(t *testing.T, signal os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil && p.cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func TestVersionAndHelpGoToStdout(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if diff := cmp.Diff(outcome{0, "terraform-provider-port 9.8.7\n", ""}, runBinary(t, nil, args...)); diff != "" {
			t.Errorf("%v: %s", args, diff)
		}
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"terraform-provider-port portal", []string{"--help"}},
		{"terraform-provider-port portal", []string{"-h"}},
		{"terraform-provider-port portal", []string{"help"}},
		{"terraform-provider-port portal", []string{"-debug", "-h"}},
		{"--database-url", []string{"portal", "--help"}},
		{"--database-url", []string{"portal", "-h"}},
		{"--database-url", []string{"help", "portal"}},
		{"prints the name and version", []string{"version", "--help"}},
	} {
		if got := runBinary(t, nil, c.args...); got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

func TestTheBareBinaryExplainsItself(t *testing.T) {
	t.Parallel()
	if got := runBinary(t, nil); got.Code != 1 || got.Stdout != "" || !strings.Contains(got.Stderr, "plugin") || !strings.Contains(got.Stderr, "Usage:") {
		t.Errorf("%+v", got)
	}
}

func TestMistakesAreOneLineAndCode2(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "never.db")
	for _, c := range []struct {
		want      string
		env, args []string
	}{
		{"unknown command", nil, []string{"frobnicate"}},
		{"-nope", nil, []string{"-nope"}},
		{"unexpected argument", nil, []string{"-debug", "x"}},
		{"unexpected argument", nil, []string{"version", "x"}},
		{"-nope", nil, []string{"portal", "--nope", "--data", file}},
		{"unexpected argument", nil, []string{"portal", "--data", file, "x"}},
		{"needs an argument", nil, []string{"portal", "--data"}},
		{"--data", nil, []string{"portal", "--data="}},
		{"exclude each other", nil, []string{"portal", "--database-url", "postgres://x", "--data", file}},
		{"exclude each other", nil, []string{"portal", "--data=", "--database-url="}},
		{"--database-url needs", nil, []string{"portal", "--database-url="}},
		{"--rate-limit", nil, []string{"portal", "--rate-limit", "-1"}},
		{"--legacy-action-routes", nil, []string{"portal", "--legacy-action-routes", "off"}},
		{"--github-url", nil, []string{"portal", "--github-url", "ghe.example.com"}},
		{"--github-url", []string{"PORT_GITHUB_URL=ftp://ghe.example.com"}, []string{"portal"}},
		{"--user-status", nil, []string{"portal", "--user-status", "Active"}},
		{"rate-limit", nil, []string{"portal", "--rate-limit", "many"}},
		{"--run-timeout", nil, []string{"portal", "--run-timeout", "-1s"}},
		{"run-timeout", nil, []string{"portal", "--run-timeout", "soon"}},
		{"--automation-depth", nil, []string{"portal", "--automation-depth", "0"}},
		{"--failed-logins", nil, []string{"portal", "--failed-logins", "-1"}},
		{"allow-from", nil, []string{"portal", "--allow-from", "10.0.0.0/8,everywhere"}},
		{"PORT_CLIENT_SECRET is not", []string{"PORT_CLIENT_ID=x"}, []string{"portal", "--data", file}},
		{"PORT_CLIENT_ID is not", []string{"PORT_CLIENT_SECRET=x"}, []string{"portal", "--data", file}},
	} {
		got := runBinary(t, c.env, c.args...)
		if got.Code != 2 || got.Stdout != "" || strings.Count(got.Stderr, "\n") != 1 || !strings.Contains(got.Stderr, c.want) || !strings.Contains(got.Stderr, "--help") {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Error("a data file was made", err)
	}
}

func TestWhatCannotBeDoneIsOneLineAndCode1AndFilesStayUntouched(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	taken, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	if err := os.WriteFile(foreign, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "fresh.db")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"address already in use", []string{"--listen", taken.Addr().String(), "--data", fresh}},
		{"cannot listen", []string{"--listen", "nonsense", "--data", fresh}},
		{"foreign.db", []string{"--listen", "127.0.0.1:0", "--data", foreign}},
		{"directory", []string{"--listen", "127.0.0.1:0", "--data", dir}},
		{"no/such", []string{"--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "no/such/file.db")}},
	} {
		got := runBinary(t, nil, append([]string{"portal"}, c.args...)...)
		if got.Code != 1 || got.Stdout != "" || strings.Count(got.Stderr, "\n") != 1 || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{foreign}, left); diff != "" {
		t.Error(diff)
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != strings.Repeat("not a database ", 100) {
		t.Error("the foreign file changed", err)
	}
}

func TestThePortalServesAndStopsOnSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := launch(t, []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"})
		if resp, err := http.Get(p.url + "/health"); err != nil || resp.StatusCode != 200 { //nolint:noctx // a plain client is the point
			t.Error(err, resp)
		} else {
			_ = resp.Body.Close()
		}
		newClient(t, p.url, "me", "mine").must(http.MethodGet, "/v1/blueprints", "")
		if code := p.stop(t, signal); code != 0 {
			t.Errorf("%v: exit code %d\n%s", signal, code, p.stderr)
		}
		if strings.Contains(p.stderr.String(), "mine") {
			t.Error("the log holds the secret")
		}
	}
}

func TestCredentialsAreMadeAndPrintedOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	p := launch(t, nil, "--data", file)
	id, ok1 := strings.CutPrefix(p.line(t), "PORT_CLIENT_ID=")
	secret, ok2 := strings.CutPrefix(p.line(t), "PORT_CLIENT_SECRET=")
	if !ok1 || !ok2 || len(id) != 32 {
		t.Fatalf("%q %q", id, secret)
	}
	newClient(t, p.url, id, secret).must(http.MethodPost, "/v1/blueprints", `{"identifier":"kept","title":"K","schema":{"properties":{}}}`)
	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Fatal(code, p.stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again := launch(t, nil, "--data", file)
	newClient(t, again.url, id, secret).must(http.MethodGet, "/v1/blueprints/kept", "")
	if err := again.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if rest, err := again.stdout.ReadString('\n'); err == nil {
		t.Errorf("printed again: %q", rest)
	}
}

func TestAFileOfAnEmbeddedPortalIsServedWithGivenCredentials(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	seed := `{"blueprints":[{"identifier":"s","title":"S","schema":{"properties":{}}}]}`
	embedded, err := portal.New(portal.Options{DataFile: file, Seed: strings.NewReader(seed)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := embedded.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := launch(t, []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}, "--data", file)
	newClient(t, p.url, "me", "mine").must(http.MethodGet, "/v1/blueprints/s", "")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if rest, err := p.stdout.ReadString('\n'); err == nil {
		t.Errorf("printed %q although credentials were given", rest)
	}
	wrong := launch(t, []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=other"}, "--data", file)
	if code := wrong.stop(t, syscall.SIGTERM); code != 0 || !strings.Contains(wrong.stderr.String(), "not accepted") {
		t.Errorf("%d %s", code, wrong.stderr)
	}
}

func TestRequestsInFlightAreFinishedBeforeTheEnd(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"})
	c := newClient(t, p.url, "me", "mine")
	const body = `{"identifier":"late","title":"L","schema":{"properties":{}}}`
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The portal asks for the body when it has begun to work on the request.
	_, err = fmt.Fprintf(conn, "POST /v1/blueprints HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", c.token, len(body))
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatal(line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The end has begun when nobody else is let in.
	for {
		extra, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			break
		}
		_ = extra.Close()
	}
	if _, err := conn.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%v %v", err, resp)
	}
	_ = resp.Body.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.stderr)
	}
}

func TestTwoProcessesServeOneFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	a, b := launch(t, env, "--data", file), launch(t, env, "--data", file)
	ca, cb := newClient(t, a.url, "me", "mine"), newClient(t, b.url, "me", "mine")
	if ca.token != cb.token {
		t.Error("two live tokens of one set of credentials")
	}
	ca.must(http.MethodPost, "/v1/blueprints", `{"identifier":"s","title":"S","schema":{"properties":{}}}`)
	cb.must(http.MethodPost, "/v1/blueprints/s/entities", `{"identifier":"e"}`)
	ca.must(http.MethodGet, "/v1/blueprints/s/entities/e", "")
}
