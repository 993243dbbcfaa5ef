package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Key gives the key under which secrets are sealed and which the data does not
// hold. The zero value is none: the key is then derived from the signing key, which
// stands in the data.
type Key struct {
	// Have is the key, nil when it is to be found or made.
	Have []byte
	// Find looks for a key that somebody made; it gives nil when nobody has. nil is
	// the same as a Find that finds nothing.
	Find func() ([]byte, error)
	// Make makes one for data that has none and keeps it; nil when none is to be
	// made. It may be called several times, by several processes, and gives the same
	// key each time.
	Make func() ([]byte, error)
	// Name says in messages where the key is.
	Name string
}

// What a sealed text belongs to is bound to it, so that sealed texts cannot be
// swapped between documents.

func sealedCredentials(clientID string) string { return clientID }

func sealedSecret(name string) string { return "secret " + name }

// sealer seals and opens texts under one key.
type sealer struct{ key []byte }

// keyLength is that of AES-256.
const keyLength = 32

func deriveKey(from []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, from, nil, purpose, keyLength)
}

// keyID tells keys apart without telling anything of them.
func keyID(key []byte) (string, error) {
	id, err := hkdf.Key(sha256.New, key, nil, "key id", 8)
	return hex.EncodeToString(id), err
}

func (i *Identity) seal(secret, owner string) (string, error) {
	return sealer{i.sealing}.seal(i.ids.Alphanumeric(nonceLength), secret, owner)
}

func (i *Identity) open(sealed, owner string) (string, error) {
	return sealer{i.sealing}.open(sealed, owner)
}

// nonceLength is that of GCM.
const nonceLength = 12

func (s sealer) seal(nonce, secret, owner string) (string, error) {
	aead, err := s.aead()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(aead.Seal([]byte(nonce), []byte(nonce), []byte(secret), []byte(owner))), nil
}

func (s sealer) open(sealed, owner string) (string, error) {
	aead, err := s.aead()
	if err != nil {
		return "", err
	}
	raw, err := hex.DecodeString(sealed)
	if err != nil || len(raw) < nonceLength {
		return "", errors.New("the stored secret is not sealed")
	}
	secret, err := aead.Open(nil, raw[:nonceLength], raw[nonceLength:], []byte(owner))
	if err != nil {
		return "", fmt.Errorf("the stored secret: %w", err)
	}
	return string(secret), nil
}

func (s sealer) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// useKey settles under which key secrets are sealed. sealedBy is what the server
// document says, "" for data whose secrets are sealed under its own signing key.
func (i *Identity) useKey(sealedBy string) error {
	if sealedBy == "" {
		return i.sealWith(i.signing, "credentials")
	}
	if err := i.findKey(); err != nil {
		return err
	}
	if len(i.key.Have) == 0 {
		return fmt.Errorf("the data's secrets are sealed with a key that is not here: %s is missing", i.key.name())
	}
	id, err := keyID(i.key.Have)
	if err != nil {
		return err
	}
	if id != sealedBy {
		return fmt.Errorf("the data's secrets are sealed with another key than %s", i.key.name())
	}
	return i.sealWith(i.key.Have, "secrets")
}

func (i *Identity) sealWith(key []byte, purpose string) (err error) {
	if i.sealing, err = deriveKey(key, purpose); err != nil {
		return err
	}
	// What is opened for client ids that nobody has. It never leaves the process, so
	// that its nonce need not be another one each time.
	i.decoy, err = sealer{i.sealing}.seal(strings.Repeat("0", nonceLength), strings.Repeat("0", clientSecretLength), "")
	return err
}

// findKey looks for the key anew each time: another process may have made it since.
func (i *Identity) findKey() (err error) {
	if len(i.key.Have) == 0 && i.key.Find != nil {
		i.key.Have, err = i.key.Find()
	}
	return err
}

func (k Key) name() string {
	if k.Name == "" {
		return "the configured one"
	}
	return k.Name
}

// wantsKey reports whether secrets are yet to be sealed under a key that the data
// does not hold.
func (i *Identity) wantsKey(server store.Doc) bool {
	return jsonv.String(server, "sealedBy") == "" && (len(i.key.Have) > 0 || i.key.Make != nil)
}

// takeKey settles on a key that the data does not hold, making it if need be, and
// returns what the server document is to call it.
func (i *Identity) takeKey() (id string, err error) {
	if err := i.findKey(); err != nil {
		return "", err
	}
	if len(i.key.Have) == 0 {
		if i.key.Have, err = i.key.Make(); err != nil {
			return "", err
		}
	}
	return keyID(i.key.Have)
}

// adoptKey seals everything under the key that the data does not hold, and returns
// the server document that says so.
func (i *Identity) adoptKey(tx store.Tx, server store.Doc) (store.Doc, error) {
	old := sealer{i.sealing}
	id, err := i.takeKey()
	if err != nil {
		return nil, err
	}
	if err := i.useKey(id); err != nil {
		return nil, err
	}
	if err := i.reseal(tx, old, KindCredentials, "secret", sealedCredentials); err != nil {
		return nil, err
	}
	if err := i.reseal(tx, old, KindSecret, "value", sealedSecret); err != nil {
		return nil, err
	}
	server = jsonv.CloneObject(server)
	server["sealedBy"] = id
	return server, tx.Put(KindServer, server, serverKey)
}

func (i *Identity) reseal(tx store.Tx, old sealer, kind store.Kind, key string, owner func(string) string) error {
	var rows []store.Row
	for row, err := range tx.Scan(kind, nil, store.Page{}, i.org) {
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if jsonv.String(row.Doc, key) == "" {
			continue // a user's credentials, of which only a hash is kept
		}
		whose := owner(row.Key[1])
		secret, err := old.open(jsonv.String(row.Doc, key), whose)
		if err != nil {
			return err
		}
		doc := jsonv.CloneObject(row.Doc)
		if doc[key], err = i.seal(secret, whose); err != nil {
			return err
		}
		if err := tx.Put(kind, doc, row.Key...); err != nil {
			return err
		}
	}
	return nil
}
