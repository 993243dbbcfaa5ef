package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// A credentials document is {"id", "name", "secret" sealed, "enabled",
// "createdAt", "updatedAt", "token"}; token is the claim set of the one live
// token (reference/identity.md §1.1 T4), not the token itself.

func (i *Identity) addCredentials(tx store.Tx, c Credentials) error {
	sealed, err := i.seal(c.ClientSecret, c.ClientID)
	if err != nil {
		return err
	}
	now := clock.Stamp(i.clock.Now())
	return tx.Put(KindCredentials, store.Doc{
		"id": c.ClientID, "name": "default", "secret": sealed, "enabled": true, "createdAt": now, "updatedAt": now,
	}, i.org, c.ClientID)
}

func (i *Identity) credentials(tx store.Tx, clientID string) (Credentials, error) {
	doc, err := tx.Get(KindCredentials, i.org, clientID)
	if err != nil {
		return Credentials{}, err
	}
	secret, err := i.open(jsonv.String(doc, "secret"), clientID)
	return Credentials{clientID, secret}, err
}

func sealingKey(signing []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, signing, nil, "credentials", 32)
}

// seal encrypts a secret; the client id is bound to it, so that sealed secrets
// cannot be swapped between documents.
func (i *Identity) seal(secret, clientID string) (string, error) {
	aead, err := i.aead()
	if err != nil {
		return "", err
	}
	nonce := []byte(i.ids.Alphanumeric(aead.NonceSize()))
	return hex.EncodeToString(aead.Seal(nonce, nonce, []byte(secret), []byte(clientID))), nil
}

func (i *Identity) open(sealed, clientID string) (string, error) {
	aead, err := i.aead()
	if err != nil {
		return "", err
	}
	raw, err := hex.DecodeString(sealed)
	if err != nil || len(raw) < aead.NonceSize() {
		return "", errors.New("credentials: the stored secret is not sealed")
	}
	secret, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(clientID))
	if err != nil {
		return "", fmt.Errorf("credentials: %w", err)
	}
	return string(secret), nil
}

func (i *Identity) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(i.sealing)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
