package portal_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// decrypted is what a receiver makes of an encrypted input (reference/actions.md §3.8).
func decrypted(t *testing.T, secret, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < 32 {
		t.Fatalf("%q is no ciphertext: %v", text, err)
	}
	block, err := aes.NewCipher([]byte(secret)[:32])
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, 16)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gcm.Open(nil, raw[:16], raw[16:], nil)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return string(plain)
}

// TestSecretInputsReachTheBackendEncrypted looks at all that a run leaves behind: only
// the backend gets the values, encrypted under the secret that the organization has
// then, which also signs.
func TestSecretInputsReachTheBackendEncrypted(t *testing.T) {
	t.Parallel()
	const secret = "port-secret-for-tests-0123456789abcdef"
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: secret})
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": "a", "trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{
			"password": jsonv.Object{"type": "string", "encryption": "aes256-gcm", "minLength": jsonv.Int(3)},
			"object":   jsonv.Object{"type": "object", "encryption": "aes256-gcm"},
			"sealed":   jsonv.Object{"type": "string", "encryption": jsonv.Object{"algorithm": "client-side", "key": "PEM"}},
		}}},
		"invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com/x", "body": jsonv.Object{
			"password": "{{ .inputs.password }}", "object": "{{ .inputs.object }}", "sealed": "{{ .inputs.sealed }}", "names": "{{ .action.encryptedProperties }}",
		}},
	})
	raw := make([]byte, 12+256+17)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	sealed := base64.StdEncoding.EncodeToString(raw)
	properties := jsonv.Object{"password": "hunter2", "object": jsonv.Object{"b": jsonv.Int(1), "a": "hunter2"}, "sealed": sealed}
	send := func(secret string) jsonv.Object {
		t.Helper()
		answer := p.Must(http.MethodPost, "/v1/actions/a/runs", jsonv.Object{"properties": properties})
		p.Settle()
		calls := p.Webhooks()
		call := calls[len(calls)-1]
		if want := crypt.Sign(secret, p.Clock().Now(), []byte(call.Body)); call.Header.Get("X-Port-Signature") != want {
			t.Errorf("signature %q, want %q", call.Header.Get("X-Port-Signature"), want)
		}
		body, err := jsonv.DecodeObject([]byte(call.Body))
		if err != nil {
			t.Fatal(err)
		}
		if got := decrypted(t, secret, jsonv.String(body, "password")); got != "hunter2" {
			t.Errorf("password is %q", got)
		}
		if got := decrypted(t, secret, jsonv.String(body, "object")); got != `{"a":"hunter2","b":1}` {
			t.Errorf("object is %q", got)
		}
		if got := jsonv.String(body, "sealed"); got != sealed {
			t.Errorf("what a client encrypted came as %q", got)
		}
		if got := strings.Join(jsonv.Strings(body["names"]), " "); got != "object password sealed" {
			t.Errorf("encrypted properties %q", got)
		}
		run := jsonv.Map(answer, "run")
		for _, where := range []string{"properties", "rawProperties"} {
			for id := range properties {
				if got := jsonv.String(run, where, id); got != "******" {
					t.Errorf("%s/%s is %q", where, id, got)
				}
			}
		}
		return body
	}
	first := send(secret)
	if second := send(secret); second["password"] == first["password"] {
		t.Error("two runs have one initialization vector")
	}
	for _, path := range []string{"/v1/actions/runs", "/v1/audit-log"} {
		if text := string(jsonv.Encode(p.Must(http.MethodGet, path, nil))); strings.Contains(text, "hunter2") {
			t.Errorf("%s tells the password", path)
		}
	}
	for id, value := range map[string]any{"sealed": "plain text", "password": "x"} {
		answer := p.Call(http.MethodPost, "/v1/actions/a/runs", jsonv.Object{"properties": jsonv.Object{id: value}})
		if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Text, "/properties/"+id) {
			t.Errorf("%s: %d %s", id, answer.Status, answer.Text)
		}
	}
	rotated := p.Must(http.MethodPost, "/v1/apps/"+portaltest.ClientID+"/rotate-secret", nil)
	next := jsonv.String(rotated, "app", "secret")
	if next == "" {
		t.Fatalf("no secret in %v", rotated)
	}
	send(next)
}

// TestEncryptionVector is the one of reference/actions.md §3.8, as a receiver reads it.
func TestEncryptionVector(t *testing.T) {
	t.Parallel()
	if got := decrypted(t, "port-secret-for-tests-0123456789abcdef", "AAECAwQFBgcICQoLDA0OD2um/pjgQ3L4c9jq39KuEWgQRNoQCNi5"); got != "hunter2" {
		t.Errorf("got %q", got)
	}
}
