package portal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

// minSecretKey is the shortest configured key: no passphrase, but the text of a
// random key.
const minSecretKey = 32

// keySuffix makes the name of the key file from that of the data file.
const keySuffix = ".key"

// secretKey finds the key under which secrets are sealed: the configured one, or
// the one in a file beside the data file.
func secretKey(o Options) (identity.Key, error) {
	switch {
	case o.SecretKey != "" && len(o.SecretKey) < minSecretKey:
		return identity.Key{}, fmt.Errorf("the secret key must have at least %d characters, such as \"openssl rand -hex 32\" gives", minSecretKey)
	case o.SecretKey != "":
		return identity.Key{Have: []byte(o.SecretKey), Name: "the configured secret key"}, nil
	case o.DataFile == "" || o.Store != nil:
		return identity.Key{Name: "the secret key"}, nil
	}
	file := o.DataFile + keySuffix
	return identity.Key{
		Name: "the secret key or the key file " + file,
		Find: func() ([]byte, error) {
			key, err := readKeyFile(file)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return key, err
		},
		Make: func() ([]byte, error) { return makeKeyFile(file) },
	}, nil
}

func readKeyFile(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("the key file %s holds no key", file)
	}
	return key, nil
}

// makeKeyFile makes a key and its file, whole and readable by its owner only. Of
// several processes that do so at once all get the key of the first one.
func makeKeyFile(file string) ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	text := []byte(hex.EncodeToString(key) + "\n")
	draft, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.Write(text)
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	// A link is there whole or not at all, and never takes another's place.
	if err := os.Link(draft.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return readKeyFile(file)
}
