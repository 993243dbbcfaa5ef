package docstest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The guide about permissions applies the example, serves what it made, and asks
// as the service account: what the example allows works, the rest is refused.
func TestTheGuideAboutPermissionsWorks(t *testing.T) {
	t.Parallel()
	cli := workspace(t)
	if err := os.CopyFS(cli.Dir, os.DirFS(filepath.Join(root, "examples/users-and-teams"))); err != nil {
		t.Fatal(err)
	}
	scripts := pick(t, blocks(t, "templates/guides/users-teams-and-permissions.md"), "sh", "Testing as somebody else")
	address := freeAddress(t)
	local := func(script string) string {
		return strings.NewReplacer("127.0.0.1:3000", address, "terraform-provider-port portal", "exec "+binary+" portal").Replace(script)
	}
	shell(t, cli, scripts[0])
	startPortal(t, cli, local(scripts[1]), address)
	out := shell(t, cli, "export PORT_BASE_URL=embedded:portal.db\n"+local(scripts[2]))
	answers := strings.Split(strings.TrimSpace(out), "\n")
	if len(answers) != 2 || !strings.Contains(answers[0], `"ok":true`) || !strings.Contains(answers[1], "missing_permissions") || !strings.Contains(answers[1], "stage") {
		t.Errorf("the answers are:\n%s", out)
	}
}

// The guide about actions is gone through as a reader would, as a person and as the
// backend; what it says of signatures holds for the reference's example of one.
func TestTheGuideAboutSelfServiceWorks(t *testing.T) {
	t.Parallel()
	const page = "templates/guides/self-service.md"
	all := blocks(t, page)
	served, cli := workspace(t), workspace(t)
	if err := os.CopyFS(cli.Dir, os.DirFS(filepath.Join(root, "examples/self-service"))); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	local := func(script string) string {
		return strings.NewReplacer("127.0.0.1:3000", address, "terraform-provider-port portal", "exec "+binary+" portal").Replace(script)
	}
	scripts := pick(t, all, "sh", "Trying it offline")
	startPortal(t, served, local(scripts[0]), address)
	// Nothing listens where the backend would.
	out := shell(t, cli, "export TF_VAR_backend_url=http://"+freeAddress(t)+"\n"+local(strings.Join(scripts[1:3], "\n"))+"\necho; echo REPORT\n"+local(scripts[3])+"\necho; echo RUN\nport $url/actions/runs/$run\necho; echo REFUSED\n"+local(scripts[4]))
	parts := regexp.MustCompile(`\n(?:REPORT|RUN|REFUSED)\n`).Split(out, -1)
	if len(parts) != 4 {
		t.Fatalf("the scripts print:\n%s", out)
	}
	for i, want := range [][]string{
		{`"status":"IN_PROGRESS"`, `"source":"API"`, `"language":"go"`, `"owner":"bob@example.com"`},
		{`"message":"Up"`, `"resourceType":"entity"`, `"team":["payments"]`},
		{`"status":"SUCCESS"`, `"statusLabel":"Running"`, `"link":["https://git.example.com/wallet"]`},
		{`"path":"/properties/reason"`, "condition"},
	} {
		for _, text := range want {
			if !strings.Contains(parts[i], text) {
				t.Errorf("part %d does not contain %s:\n%s", i, text, parts[i])
			}
		}
	}

	signature := pick(t, all, "sh", "What the backend is sent")[0]
	got := shell(t, cli, signature+`signature port-secret-for-tests-0123456789abcdef 1700000000 '{"name":"svc-1","runId":"r_0000000000000001"}'`)
	if strings.TrimSpace(got) != "v1,YuxLYe6WqXC5XqenAHgOx2jQYUtQ/C5yK7PMWo6/iNo=" {
		t.Errorf("the signature is %q", got)
	}
	write(t, cli.Dir, "run.tf", pick(t, all, "hcl", "Running actions from Terraform")[0])
	must(t, cli, 0, "validate", "-no-color")
}
