package provider_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// exampleOf joins the files of an example, but for the one that names the
// provider's source.
func exampleOf(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", name, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of example %s: %v", name, err)
	}
	config := ""
	for _, file := range files {
		if filepath.Base(file) == "main.tf" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		config += string(text)
	}
	return config
}

// The example's configuration says who may do what; Port then allows exactly that
// to the service account, which logs in with the credentials that the example
// gave it, to a member of another team, and to a moderator.
func TestTheExampleOfUsersAndTeamsAllowsWhatItSays(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := exampleOf(t, "users-and-teams")
	const services, deployments = "/v1/blueprints/service/entities", "/v1/blueprints/deployment/entities"
	deployment := func(id, stage string) jsonv.Object {
		return jsonv.Object{"identifier": id, "properties": jsonv.Object{"stage": stage, "version": "2"}, "relations": jsonv.Object{"service": "cart"}}
	}
	property := func(key, value string) jsonv.Object {
		return jsonv.Object{"properties": jsonv.Object{key: value}}
	}
	type try struct {
		who, method, path string
		body              any
		status            int
		code              string
	}
	tries := []try{
		// Everybody sees services; owners change them, by way of the domain.
		{"pipeline", http.MethodGet, services + "/builder", nil, http.StatusOK, ""},
		{"pipeline", http.MethodPatch, services + "/cart", property("language", "Zig"), http.StatusOK, ""},
		{"pipeline", http.MethodPatch, services + "/cart", jsonv.Object{"title": "Basket"}, http.StatusOK, ""},
		{"pipeline", http.MethodPatch, services + "/builder", property("language", "Zig"), http.StatusForbidden, "missing_permissions"},
		{"pipeline", http.MethodPatch, services + "/builder", property("on_call", "ada@example.com"), http.StatusOK, ""},
		{"pipeline", http.MethodPost, services, jsonv.Object{"identifier": "new"}, http.StatusForbidden, "missing_permissions"},
		{"pipeline", http.MethodDelete, services + "/cart", nil, http.StatusForbidden, "missing_permissions"},
		// Ownership over two relations: builder's deployment is none of payments'.
		{"ada", http.MethodGet, deployments + "/builder-test", nil, http.StatusNotFound, "not_found"},
		{"grace", http.MethodGet, deployments + "/builder-test", nil, http.StatusOK, ""},
		// The pipeline deploys, to test alone, and cleans nothing up.
		{"pipeline", http.MethodPost, deployments, deployment("cart-test", "test"), http.StatusCreated, ""},
		{"pipeline", http.MethodPost, deployments, deployment("cart-production", "production"), http.StatusForbidden, "missing_permissions"},
		{"pipeline", http.MethodPatch, deployments + "/cart-test", property("version", "3"), http.StatusOK, ""},
		{"pipeline", http.MethodDelete, deployments + "/cart-test", nil, http.StatusForbidden, "missing_permissions"},
		{"ada", http.MethodGet, deployments + "/cart-test", nil, http.StatusOK, ""},
		{"ada", http.MethodPost, deployments, deployment("by-hand", "test"), http.StatusForbidden, "missing_permissions"},
		{"ada", http.MethodPatch, deployments + "/cart-test", property("version", "4"), http.StatusForbidden, "missing_permissions"},
		{"grace", http.MethodGet, deployments + "/cart-test", nil, http.StatusNotFound, "not_found"},
		// Domains are as Port has them by default: members read.
		{"ada", http.MethodGet, "/v1/blueprints/domain/entities/runtime", nil, http.StatusOK, ""},
		{"ada", http.MethodPatch, "/v1/blueprints/domain/entities/checkout", jsonv.Object{"title": "Till"}, http.StatusForbidden, "missing_permissions"},
		// A moderator of services manages all of them, and only them.
		{"grace", http.MethodPatch, services + "/cart", property("language", "C"), http.StatusOK, ""},
		{"grace", http.MethodPost, services, jsonv.Object{"identifier": "fresh", "title": "Fresh"}, http.StatusCreated, ""},
		{"grace", http.MethodDelete, services + "/fresh", nil, http.StatusOK, ""},
		{"grace", http.MethodPost, "/v1/blueprints/domain/entities", jsonv.Object{"identifier": "new"}, http.StatusForbidden, "missing_permissions"},
		{"grace", http.MethodPatch, "/v1/blueprints/service", jsonv.Object{"description": "Ours"}, http.StatusOK, ""},
		// Nobody of them gives themselves rights.
		{"pipeline", http.MethodPatch, "/v1/blueprints/deployment/permissions", jsonv.Object{"entities": jsonv.Object{}}, http.StatusForbidden, "missing_permissions"},
		{"ada", http.MethodPost, "/v1/teams", jsonv.Object{"name": "Mine"}, http.StatusForbidden, "insufficient_scope"},
	}
	check := func(s *terraform.State) error {
		account := s.RootModule().Resources["port_service_account.pipeline"].Primary.Attributes
		tokens := map[string]string{
			"pipeline": a.token(jsonv.Object{"clientId": account["client_id"], "clientSecret": account["client_secret"]}),
		}
		for who, email := range map[string]string{"ada": "ada@example.com", "grace": "grace@example.com"} {
			tokens[who] = a.token(jsonv.Map(a.Must(http.MethodPost, "/v1/rotate-credentials/"+email, nil), "credentials"))
		}
		for _, try := range tries {
			answer := a.CallAs(tokens[try.who], try.method, try.path, try.body)
			if answer.Status != try.status || jsonv.String(answer.Body, "error") != try.code {
				t.Errorf("%s: %s %s answers %d %s, want %d %s", try.who, try.method, try.path, answer.Status, jsonv.Encode(answer.Body), try.status, try.code)
			}
		}
		found := a.CallAs(tokens["ada"], http.MethodGet, deployments, nil)
		if all := jsonv.List(found.Body, "entities"); len(all) != 1 || jsonv.String(all[0], "identifier") != "cart-test" {
			t.Errorf("ada sees the deployments %s", jsonv.Encode(all))
		}
		return nil
	}
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		resource.TestStep{RefreshState: true, Check: check, ExpectNonEmptyPlan: true}, // titles and languages were changed
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: func() { a.Must(http.MethodDelete, deployments+"/cart-test", nil) }, Config: config, ConfigPlanChecks: emptyPlan},
	)
}

// token exchanges credentials.
func (a *account) token(credentials jsonv.Object) string {
	a.t.Helper()
	return jsonv.String(a.Must(http.MethodPost, "/v1/auth/access_token", credentials), "accessToken")
}
