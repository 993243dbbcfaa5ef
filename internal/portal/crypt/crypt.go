// Package crypt signs what the portal sends out and encrypts the secret inputs of
// runs, bit for bit as receivers check and decrypt them (reference/actions.md §3.7,
// §3.8). It keeps no key: each call is given the organization's client secret.
package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the receiver of Azure DevOps checks
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The headers of a signed request. The timestamp counts seconds.
const (
	HeaderTimestamp = "X-Port-Timestamp"
	HeaderSignature = "X-Port-Signature"
	// HeaderAzure carries [SignAzure].
	HeaderAzure = "x-port-signature"
)

// Sign is the value of X-Port-Signature for a body sent at a moment: "v1," and the
// base64 text of the HMAC-SHA256 of "<seconds>.<body>".
func Sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(Timestamp(at)))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Timestamp is the value of X-Port-Timestamp.
func Timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// SignAzure is what an incoming webhook of Azure DevOps checks: the lower-case hex
// text of the HMAC-SHA1 of the body alone.
func SignAzure(secret string, body []byte) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

const (
	keySize = 32
	// The initialization vector of what the portal encrypts is longer than the
	// usual one: 16 bytes.
	ivSize  = 16
	tagSize = 16
)

// ErrShortSecret says that the client secret is too short to be a key.
var ErrShortSecret = errors.New("the organization's client secret is shorter than 32 bytes, so inputs cannot be encrypted")

// Encrypt encrypts an input with AES-256-GCM under the first 32 bytes of the client
// secret: the base64 text of vector, ciphertext and tag. random gives the 16 bytes
// of the vector.
func Encrypt(secret string, random func(int) ([]byte, error), plaintext []byte) (string, error) {
	if len(secret) < keySize {
		return "", ErrShortSecret
	}
	iv, err := random(ivSize)
	if err != nil {
		return "", fmt.Errorf("initialization vector: %w", err)
	}
	block, err := aes.NewCipher([]byte(secret)[:keySize])
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, ivSize)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(gcm.Seal(iv[:ivSize:ivSize], iv, plaintext, nil)), nil
}

// The parts of a value that a client encrypted: vector, key wrapped by RSA of at
// least 2048 bits, at least one byte, tag.
const shortestClientSide = 12 + 256 + 1 + tagSize

// ClientSide tells whether a value can be what a client encrypted. Plain text must
// not slip through where an encrypted value is declared.
func ClientSide(value string) bool {
	raw, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(raw) >= shortestClientSide
}
