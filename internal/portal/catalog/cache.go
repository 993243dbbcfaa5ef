package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// versionKey is where a stored blueprint keeps the digest of its own content.
// Keys that begin with "$" never leave the catalog.
const versionKey = "$version"

// compiledCache keeps compiled blueprints by the digest of their definition, so
// that it can neither go stale when another process writes the same file nor be
// misled by a transaction that was rolled back.
type compiledCache struct {
	mu    sync.RWMutex
	max   int
	items map[cacheKey]*blueprint
}

type cacheKey struct{ org, version string }

func newCompiledCache(limit int) *compiledCache {
	return &compiledCache{max: limit, items: map[cacheKey]*blueprint{}}
}

func (c *compiledCache) get(org string, doc store.Doc) *blueprint {
	key := cacheKey{org, jsonv.String(doc, versionKey)}
	if key.version == "" {
		return compileBlueprint(doc)
	}
	c.mu.RLock()
	b := c.items[key]
	c.mu.RUnlock()
	if b != nil {
		return b
	}
	b = compileBlueprint(doc)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.items) >= c.max {
		// Any one will do: a blueprint that is still in use returns at once.
		for k := range c.items {
			delete(c.items, k)
			if len(c.items) < c.max {
				break
			}
		}
	}
	c.items[key] = b
	return b
}

// sealed returns doc with the digest of its content.
func sealed(doc store.Doc) store.Doc {
	out := make(store.Doc, len(doc)+1)
	for k, v := range doc {
		if k != versionKey {
			out[k] = v
		}
	}
	sum := sha256.Sum256(jsonv.Encode(out))
	out[versionKey] = hex.EncodeToString(sum[:16])
	return out
}
