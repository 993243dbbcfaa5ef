package docstest

import (
	"os"
	"path/filepath"
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
