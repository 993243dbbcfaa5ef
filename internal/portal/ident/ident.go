// Package ident mints every identifier and secret the portal makes up itself.
// It knows their shapes, not what they name.
package ident

import (
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"sync"
)

// Source mints identifiers. All of its methods are safe for concurrent use.
type Source interface {
	// Entity is "e_" and 16 alphanumerics (reference/catalog.md §1.4).
	Entity() string
	// Run is "r_" and 16 alphanumerics.
	Run() string
	// Migration is "m_" and 16 alphanumerics (reference/catalog.md §2.17).
	Migration() string
	// Trace is 32 lowercase hex digits (reference/catalog.md §1.1 T6).
	Trace() string
	// Alphanumeric is n characters of A–Z, a–z and 0–9.
	Alphanumeric(n int) string
}

// Random draws from the operating system's secure source.
func Random() Source { return source{crand.Reader} }

// Seeded gives the same sequence for the same seed: for tests only, since its
// secrets can be guessed.
func Seeded(seed uint64) Source {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return source{&locked{r: rand.NewChaCha8(key)}}
}

type locked struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *locked) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

type source struct{ random io.Reader }

func (s source) Entity() string    { return "e_" + s.Alphanumeric(16) }
func (s source) Run() string       { return "r_" + s.Alphanumeric(16) }
func (s source) Migration() string { return "m_" + s.Alphanumeric(16) }
func (s source) Trace() string     { return hex.EncodeToString(s.read(16)) }

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// even is the largest multiple of the alphabet's size that fits in a byte;
// higher draws are thrown away so that every character is equally likely.
const even = 256 - 256%len(alphabet)

func (s source) Alphanumeric(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		for _, b := range s.read(n - len(out)) {
			if int(b) < even {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// read cannot fail: crypto/rand ends the program when the system has no
// randomness, and the seeded generator never runs dry.
func (s source) read(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		panic("ident: " + err.Error())
	}
	return b
}
