package crypt_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
)

// The vectors of reference/actions.md §3.7 and §3.8.
const (
	secret = "port-secret-for-tests-0123456789abcdef"
	body   = `{"name":"svc-1","runId":"r_0000000000000001"}`
)

// rows: act §10 10
func TestSignaturesAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	if got := crypt.Sign(secret, time.Unix(1700000000, 999), []byte(body)); got != "v1,YuxLYe6WqXC5XqenAHgOx2jQYUtQ/C5yK7PMWo6/iNo=" {
		t.Error(got)
	}
	if got := crypt.SignAzure(secret, []byte(body)); got != "7d700022075b64cf6f4fd8d3e51cdd92282073ba" {
		t.Error(got)
	}
	if crypt.Sign(secret, time.Unix(1, 0), nil) == crypt.Sign(secret, time.Unix(2, 0), nil) {
		t.Error("the time is not signed")
	}
}

// counting gives the bytes 0, 1, 2 and so on.
func counting(n int) ([]byte, error) {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i)
	}
	return out, nil
}

// rows: act §10 10, act §3.8 1
func TestEncryptedInputsAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	got, err := crypt.Encrypt(secret, counting, []byte("hunter2"))
	if err != nil || got != "AAECAwQFBgcICQoLDA0OD2um/pjgQ3L4c9jq39KuEWgQRNoQCNi5" {
		t.Error(got, err)
	}
	if _, err := crypt.Encrypt("short", counting, nil); !errors.Is(err, crypt.ErrShortSecret) {
		t.Error(err)
	}
	broken := errors.New("no entropy")
	if _, err := crypt.Encrypt(secret, func(int) ([]byte, error) { return nil, broken }, nil); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestPlainTextIsNotTakenForWhatAClientEncrypted(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"hunter2": false,
		"":        false,
		base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 284))): false,
		base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 285))): true,
		strings.Repeat("*", 400): false,
	} {
		if got := crypt.ClientSide(value); got != want {
			t.Errorf("%.20s (%d): %v", value, len(value), got)
		}
	}
}
