package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindBlueprintPermissions are the permission documents of blueprints, keyed by
// organization and blueprint. A blueprint whose permissions nobody has changed has
// none: it is under [defaultEntities].
const KindBlueprintPermissions store.Kind = "blueprint-permissions"

// The parts of a permission document (reference/identity.md §7.4).
const (
	entitiesKey         = "entities"
	updatePropertiesKey = "updateProperties"
	updateRelationsKey  = "updateRelations"
	policyKey           = "policy"
	versionKey          = "$version"
)

// scopes are the blocks that may have a policy.
var scopes = []catalog.Verb{catalog.VerbRead, catalog.VerbRegister, catalog.VerbUpdate, catalog.VerbUnregister}

// metaFields are the keys of updateProperties that are no properties.
var metaFields = []string{"$icon", "$identifier", "$team", "$title"}

// block says who may do one thing.
type block struct {
	users, roles, teams []string
	owned               bool
	// policy is nil when there is none, or one that cannot be evaluated any more.
	policy *query.Query
}

// document is a permission document as it is evaluated. It is immutable.
type document struct {
	scopes     map[catalog.Verb]block
	properties map[string]block
	relations  map[string]block
}

// defaultBlock admits administrators and the blueprint's moderators, and further
// roles.
func defaultBlock(blueprint string, roles ...string) jsonv.Object {
	roles = append(roles, RoleAdmin, ModeratorOf(blueprint))
	slices.Sort(roles)
	return jsonv.Object{"users": []any{}, "roles": jsonv.FromStrings(roles), "teams": []any{}, ownedKey: false}
}

// defaultEntities is what a blueprint's document holds before anybody changes it.
func defaultEntities(blueprint string) jsonv.Object {
	properties := jsonv.Object{}
	for _, key := range metaFields {
		properties[key] = defaultBlock(blueprint)
	}
	out := jsonv.Object{updatePropertiesKey: properties, updateRelationsKey: jsonv.Object{}}
	for _, verb := range scopes {
		out[string(verb)] = defaultBlock(blueprint)
	}
	out[string(catalog.VerbRead)] = defaultBlock(blueprint, RoleMember)
	return out
}

// stored returns the document of a blueprint as it is kept, nil when it has the
// default.
func stored(tx store.Tx, org, blueprint string) (store.Doc, error) {
	doc, err := tx.Get(KindBlueprintPermissions, org, blueprint)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return doc, err
}

// put stores what a blueprint's document holds.
func put(tx store.Tx, org, blueprint string, entities jsonv.Object) error {
	sum := sha256.Sum256(jsonv.Encode(entities))
	doc := store.Doc{entitiesKey: entities, versionKey: hex.EncodeToString(sum[:16])}
	return tx.Put(KindBlueprintPermissions, doc, org, blueprint)
}

// document returns what a blueprint's permissions mean.
func (a *Access) document(tx store.Tx, org, blueprint string) (*document, error) {
	doc, err := stored(tx, org, blueprint)
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return a.cache.get("default\x00"+blueprint, func() jsonv.Object { return defaultEntities(blueprint) }), nil
	}
	return a.cache.get(jsonv.String(doc, versionKey), func() jsonv.Object { return jsonv.Map(doc, entitiesKey) }), nil
}

// compile reads a document that was checked when it was written.
func compile(entities jsonv.Object) *document {
	d := &document{scopes: map[catalog.Verb]block{}, properties: map[string]block{}, relations: map[string]block{}}
	for _, verb := range scopes {
		d.scopes[verb] = compileBlock(jsonv.Map(entities, string(verb)))
	}
	for key := range jsonv.Map(entities, updatePropertiesKey) {
		d.properties[key] = compileBlock(jsonv.Map(entities, updatePropertiesKey, key))
	}
	for key := range jsonv.Map(entities, updateRelationsKey) {
		d.relations[key] = compileBlock(jsonv.Map(entities, updateRelationsKey, key))
	}
	return d
}

func compileBlock(o jsonv.Object) block {
	b := block{
		users: jsonv.Strings(o["users"]), roles: jsonv.Strings(o["roles"]), teams: jsonv.Strings(o["teams"]),
		owned: jsonv.Bool(o, ownedKey),
	}
	if policy, ok := o[policyKey]; ok {
		// One that was taken by another version of the server and is not understood
		// here admits nobody (§7.6).
		if q, err := parsePolicy(policy); err == nil {
			b.policy = q
		}
	}
	return b
}

// parsePolicy reads a policy that stands at a place in a body.
func parsePolicy(raw any, at ...string) (*query.Query, error) {
	return query.Parse(raw, query.Options{Scope: query.CatalogWide, TextBooleans: true, At: at})
}

// documentCache keeps compiled documents by the digest of what they hold, so that
// it can neither go stale nor be misled by a transaction that was rolled back.
type documentCache struct {
	mu    sync.RWMutex
	max   int
	items map[string]*document
}

func newDocumentCache(limit int) *documentCache {
	return &documentCache{max: limit, items: map[string]*document{}}
}

func (c *documentCache) get(version string, entities func() jsonv.Object) *document {
	c.mu.RLock()
	d := c.items[version]
	c.mu.RUnlock()
	if d != nil {
		return d
	}
	d = compile(entities())
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.items {
		if len(c.items) < c.max {
			break
		}
		delete(c.items, key) // any one will do: what is still in use returns at once
	}
	c.items[version] = d
	return d
}
