package catalog

import (
	"context"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Signatures only, so that the layers above can be written; each moves to its
// own file with its rules.

var errUnbuilt = fault.New(http.StatusNotImplemented, "not_implemented", "not built yet")

type compiledCache struct{}

func newCompiledCache(int) *compiledCache { return &compiledCache{} }

// Indexes are the indexes that a store needs for the catalog's documents.
func Indexes() store.Indexes { return nil }

// ListBlueprints returns all blueprints, system ones included.
func (c *Catalog) ListBlueprints(ctx context.Context, tx store.Tx, actor Actor) ([]any, error) {
	return nil, errUnbuilt
}

// ReadBlueprint returns one blueprint.
func (c *Catalog) ReadBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// CreateBlueprint creates a blueprint from a full body.
func (c *Catalog) CreateBlueprint(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// PutBlueprint replaces a blueprint; a new identifier in the body renames it.
func (c *Catalog) PutBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// PatchBlueprint merges body into a blueprint.
func (c *Catalog) PatchBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// DeleteBlueprint deletes a blueprint that nothing depends on; deleteActions
// takes its self-service actions along.
func (c *Catalog) DeleteBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string, deleteActions bool) error {
	return errUnbuilt
}

// DeleteAllEntities empties a blueprint and returns the id of the migration that did it.
func (c *Catalog) DeleteAllEntities(ctx context.Context, tx store.Tx, actor Actor, id string, o DeleteAllOptions) (string, error) {
	return "", errUnbuilt
}

// SystemStructure returns the managed part of a system blueprint.
func (c *Catalog) SystemStructure(ctx context.Context, tx store.Tx, actor Actor, id string) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// RenameProperty renames a property (body newPropertyName).
func (c *Catalog) RenameProperty(ctx context.Context, tx store.Tx, actor Actor, id, key string, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// RenameMirror renames a mirror property (body newMirrorName).
func (c *Catalog) RenameMirror(ctx context.Context, tx store.Tx, actor Actor, id, key string, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// RenameRelation renames a relation (body newRelationIdentifier).
func (c *Catalog) RenameRelation(ctx context.Context, tx store.Tx, actor Actor, id, key string, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// ReadMigration returns one migration record.
func (c *Catalog) ReadMigration(ctx context.Context, tx store.Tx, actor Actor, id string) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// ListMigrations returns the migration records that filter admits.
func (c *Catalog) ListMigrations(ctx context.Context, tx store.Tx, actor Actor, filter MigrationFilter) ([]any, error) {
	return nil, errUnbuilt
}

// CreateEntity creates or, by the options, overrides or merges an entity. created
// is false when an existing entity was written. With ValidationOnly a read-only
// transaction is enough.
func (c *Catalog) CreateEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o WriteOptions) (entity jsonv.Object, created bool, err error) {
	return nil, false, errUnbuilt
}

// ReadEntity returns one entity.
func (c *Catalog) ReadEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, o ReadOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// ListEntities returns the answer's parts: "entities" and, with AllowPartial, "failedBlueprints".
func (c *Catalog) ListEntities(ctx context.Context, tx store.Tx, actor Actor, blueprint string, o ReadOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// PutEntity overrides an existing entity.
func (c *Catalog) PutEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, body any, o WriteOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// PatchEntity merges body into an existing entity.
func (c *Catalog) PatchEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, body any, o WriteOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// DeleteEntity deletes an entity.
func (c *Catalog) DeleteEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, o DeleteOptions) error {
	return errUnbuilt
}

// BulkUpsert writes up to 20 entities and returns the answer's parts "entities"
// and "errors", both always arrays; the status is 207 when "errors" is not empty.
func (c *Catalog) BulkUpsert(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o WriteOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// BulkDelete deletes up to 100 entities and returns the identifiers really deleted.
func (c *Catalog) BulkDelete(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o DeleteOptions) ([]any, error) {
	return nil, errUnbuilt
}

// CountEntities counts a blueprint's entities.
func (c *Catalog) CountEntities(ctx context.Context, tx store.Tx, actor Actor, blueprint string) (int, error) {
	return 0, errUnbuilt
}

// Search is the catalog-wide search; it returns the answer's parts
// "matchingBlueprints", "entities" and, with AllowPartial, "failedBlueprints".
func (c *Catalog) Search(ctx context.Context, tx store.Tx, actor Actor, body any, o ReadOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// SearchBlueprint is the paged search in one blueprint; it returns the answer's
// parts "entities" and, unless it was the last page, "next".
func (c *Catalog) SearchBlueprint(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o ReadOptions) (jsonv.Object, error) {
	return nil, errUnbuilt
}

// CountSearch counts the entities of a blueprint that a query matches.
func (c *Catalog) CountSearch(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any) (int, error) {
	return 0, errUnbuilt
}

// DatasourceEntities finds entities by the beginning and end of their last
// writer's User-Agent; it returns the answer's parts "entities" and "next".
func (c *Catalog) DatasourceEntities(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	return nil, errUnbuilt
}
