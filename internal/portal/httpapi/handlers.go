package httpapi

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
)

func (c *Call) health() (any, error) { return jsonv.Object{"status": "ok"}, nil }

func (c *Call) done() (any, error) { return nil, nil }

func (c *Call) exchange() (any, error) { return c.api.identity.Exchange(c.ctx, c.from, c.Body) }

func (c *Call) listBlueprints() (any, error) {
	blueprints, err := c.api.catalog.ListBlueprints(c.ctx, c.Tx, c.Actor)
	return jsonv.Object{"blueprints": list(blueprints)}, err
}

func (c *Call) createBlueprint() (any, error) {
	c.status = http.StatusCreated
	blueprint, err := c.api.catalog.CreateBlueprint(c.ctx, c.Tx, c.Actor, c.Body)
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) readBlueprint() (any, error) {
	blueprint, err := c.api.catalog.ReadBlueprint(c.ctx, c.Tx, c.Actor, c.params[0])
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) putBlueprint() (any, error) {
	blueprint, err := c.api.catalog.PutBlueprint(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) patchBlueprint() (any, error) {
	blueprint, err := c.api.catalog.PatchBlueprint(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) deleteBlueprint() (any, error) {
	return nil, c.api.catalog.DeleteBlueprint(c.ctx, c.Tx, c.Actor, c.params[0], c.flag("delete_actions"))
}

func (c *Call) countEntities() (any, error) {
	n, err := c.api.catalog.CountEntities(c.ctx, c.Tx, c.Actor, c.params[0])
	return jsonv.Object{"count": jsonv.Int(n)}, err
}

func (c *Call) deleteAllEntities() (any, error) {
	o := catalog.DeleteAllOptions{Blueprint: c.flag("delete_blueprint"), RunID: c.text("run_id")}
	id, err := c.api.catalog.DeleteAllEntities(c.ctx, c.Tx, c.Actor, c.params[0], o)
	return jsonv.Object{"migrationId": id}, err
}

func (c *Call) renameProperty() (any, error) {
	blueprint, err := c.api.catalog.RenameProperty(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.Body)
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) renameMirror() (any, error) {
	blueprint, err := c.api.catalog.RenameMirror(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.Body)
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) renameRelation() (any, error) {
	blueprint, err := c.api.catalog.RenameRelation(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.Body)
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) systemStructure() (any, error) {
	blueprint, err := c.api.catalog.SystemStructure(c.ctx, c.Tx, c.Actor, c.params[0])
	return jsonv.Object{"blueprint": blueprint}, err
}

func (c *Call) writeOptions() catalog.WriteOptions {
	return catalog.WriteOptions{
		Upsert: c.flag("upsert"), Merge: c.flag("merge"), ValidationOnly: c.flag("validation_only"),
		CreateMissing: c.flag("create_missing_related_entities"), RunID: c.text("run_id"),
	}
}

func (c *Call) readOptions() catalog.ReadOptions {
	return catalog.ReadOptions{
		Include: c.list("include"), Exclude: c.list("exclude"),
		ExcludeCalculated:       c.flag("exclude_calculated_properties"),
		AttachTitles:            c.flag("attach_title_to_relation"),
		AttachMirrorIdentifiers: c.flag("attach_identifier_to_title_mirror_properties"),
		AllowPartial:            c.flag("allow_partial_results"),
	}
}

func (c *Call) createEntity() (any, error) {
	o := c.writeOptions()
	c.rollback = o.ValidationOnly
	out, err := c.api.catalog.WriteEntity(c.ctx, c.Tx, c.Actor, c.params[0], c.Body, o)
	if out.Created {
		c.status = http.StatusCreated
	}
	answer := jsonv.Object{"entity": out.Entity}
	if out.Additional != nil {
		answer["additionalData"] = out.Additional
	}
	return answer, err
}

func (c *Call) listEntities() (any, error) {
	return c.api.catalog.ListEntities(c.ctx, c.Tx, c.Actor, c.params[0], c.readOptions())
}

func (c *Call) readEntity() (any, error) {
	entity, err := c.api.catalog.ReadEntity(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.readOptions())
	return jsonv.Object{"entity": entity}, err
}

func (c *Call) putEntity() (any, error) {
	entity, err := c.api.catalog.PutEntity(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.Body, c.changeOptions())
	return jsonv.Object{"entity": entity}, err
}

func (c *Call) patchEntity() (any, error) {
	entity, err := c.api.catalog.PatchEntity(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.Body, c.changeOptions())
	return jsonv.Object{"entity": entity}, err
}

// changeOptions are the parameters that PUT and PATCH know; the other ones of
// [Call.writeOptions] are unknown there and therefore ignored.
func (c *Call) changeOptions() catalog.WriteOptions {
	o := c.writeOptions()
	return catalog.WriteOptions{CreateMissing: o.CreateMissing, RunID: o.RunID}
}

func (c *Call) deleteOptions() catalog.DeleteOptions {
	return catalog.DeleteOptions{Dependents: c.flag("delete_dependents"), RunID: c.text("run_id")}
}

func (c *Call) deleteEntity() (any, error) {
	return nil, c.api.catalog.DeleteEntity(c.ctx, c.Tx, c.Actor, c.params[0], c.params[1], c.deleteOptions())
}

func (c *Call) bulkUpsert() (any, error) {
	o := c.writeOptions()
	c.rollback = o.ValidationOnly
	parts, err := c.api.catalog.BulkUpsert(c.ctx, c.Tx, c.Actor, c.params[0], c.Body, o)
	if len(jsonv.List(parts, "errors")) > 0 {
		c.status = http.StatusMultiStatus
	}
	return parts, err
}

func (c *Call) bulkDelete() (any, error) {
	deleted, err := c.api.catalog.BulkDelete(c.ctx, c.Tx, c.Actor, c.params[0], c.Body, c.deleteOptions())
	return jsonv.Object{"deletedEntities": list(deleted)}, err
}

func (c *Call) search() (any, error) {
	return c.api.catalog.Search(c.ctx, c.Tx, c.Actor, c.Body, c.readOptions())
}

func (c *Call) searchBlueprint() (any, error) {
	return c.api.catalog.SearchBlueprint(c.ctx, c.Tx, c.Actor, c.params[0], c.Body, c.readOptions())
}

func (c *Call) countSearch() (any, error) {
	n, err := c.api.catalog.CountSearch(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
	return jsonv.Object{"count": jsonv.Int(n)}, err
}

func (c *Call) topSearch() (any, error) {
	return c.api.catalog.TopSearch(c.ctx, c.Tx, c.Actor, c.params[0], c.Body, c.readOptions())
}

func (c *Call) aggregate() (any, error) {
	return c.api.catalog.Aggregate(c.ctx, c.Tx, c.Actor, c.Body)
}

func (c *Call) searchGlobally() (any, error) {
	included, err := c.api.identity.SearchesByDefault(c.Tx, c.Who)
	if err != nil {
		return nil, err
	}
	in := catalog.GlobalQuery{Index: c.text("index"), Text: c.text("q"), Size: c.text("size"), Included: included}
	results, err := c.api.catalog.SearchGlobally(c.ctx, c.Tx, c.Actor, in)
	return jsonv.Object{"results": results}, err
}

func (c *Call) datasourceEntities() (any, error) {
	return c.api.catalog.DatasourceEntities(c.ctx, c.Tx, c.Actor, c.Body)
}

// list keeps an empty list from being written as null.
func list(l []any) []any {
	if l == nil {
		return []any{}
	}
	return l
}
