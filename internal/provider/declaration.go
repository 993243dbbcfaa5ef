package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Declaration is all there is to say about one kind of object: resource, data
// source, identity, import id and documentation follow from it.
type Declaration struct {
	// Name is the type name without the provider's prefix: "blueprint".
	Name string
	// Doc and DataDoc are the first words of the documentation pages. Without
	// DataDoc there is no data source.
	Doc, DataDoc string
	// Key names the required string attributes that find the object, in the
	// order of the import id: id is their values joined by colons.
	Key []string
	// ImportID is how the import id is written in messages; "" derives it from Key.
	ImportID string
	// ID makes the id of a key where keys have several spellings; it has to give
	// the same for the key as the document has it. nil joins the key by colons.
	ID func(key []string) string
	// Parts map every other attribute.
	Parts []lens.Part
	// Singleton says that there is one object, which needs no key to be found: the
	// data source takes none.
	Singleton bool
	// Refuses says that creating the object over one that exists is never taken
	// for wanting to take it over.
	Refuses bool
	// Moves are key attributes whose change makes a new object and deletes the
	// old one within one update, so that created_* change too.
	Moves []string
	// Foreseen says that plans of other objects look at what this one will be.
	Foreseen bool

	API API
}

// API is how the declared object is reached. Bodies are what the codec puts and
// gets: the document without its envelope.
type API struct {
	Read   readFunc
	Create func(ctx context.Context, c *change) (jsonv.Object, error)
	Update func(ctx context.Context, c *change) (jsonv.Object, error)
	Delete func(ctx context.Context, c *change) error

	// Show reads what the data source shows, where that is more than Read gives:
	// computed values, which a resource must not see. Optional.
	Show readFunc
	// Peek reads what stands under a key for the warning that a create will adopt
	// it; nil and no error when nothing does. It may answer less surely than Read
	// but must be cheap for thousands of keys. Optional.
	Peek readFunc
	// Refresh reads in place of Read where the key alone does not say what the
	// state holds; prior holds nothing but the key on import. Optional.
	Refresh func(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error)
	// Import makes the state that an import ID stands for, where that is more
	// than a key. Optional.
	Import func(ctx context.Context, k *kind, s *session, id string) (tftypes.Value, error)
	// Succeed describes a planned creation to the deletion that goes before it
	// when the two replace an object. Optional.
	Succeed func(planned tftypes.Value) ([]byte, error)
	// SplitID finds the key in an import id when colons make it ambiguous. Optional.
	SplitID func(ctx context.Context, s *session, id string) ([]string, error)
	// Decode prepares the decoding of a document. prior is null in data sources
	// and holds nothing but the key on import. Optional.
	Decode func(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) *decoding
	// Amend changes what is planned before it is compared with what is there.
	// prior is null for a create. Optional.
	Amend func(config, prior, planned tftypes.Value) tftypes.Value
	// Plan adds checks that need the server or the prior state; it runs for
	// creates and updates and must not fail when the server cannot be reached.
	// Optional.
	Plan func(ctx context.Context, c *change) diag.Diagnostics
	// Destroy says what deleting the object of prior takes along, or refuses it, in
	// the plan; it must not fail when the server cannot be reached. Optional.
	Destroy func(ctx context.Context, c *change) diag.Diagnostics
	// Foresee adds what planning the object finds out about other objects of the
	// run, also when the object itself does not change. Plan has to ask it. Optional.
	Foresee func(s *session, key []string) diag.Diagnostics
	// Replaces names the attributes whose change needs a new object, where that
	// depends on more than the attribute; s is nil when the provider is not
	// configured. Optional.
	Replaces func(s *session, prior, planned lens.Obj) []string
	// Anew names the computed attributes that an update gives values that are not
	// known before, also such as may be configured and are not. Optional.
	Anew func(prior, planned lens.Obj) []string
	// Relocate turns a pointer into the body that was sent into one into the body
	// of the codec, where those differ. Optional.
	Relocate func(pointer []string) []string
	// Sift returns what of a document concerns the resource, given values that it
	// has or had. It is not asked on import and by data sources. Optional.
	Sift func(k *kind, document jsonv.Object, held ...tftypes.Value) jsonv.Object
	// Notice adds warnings about a document that was refreshed. Optional.
	Notice func(s *session, k *kind, document jsonv.Object, prior tftypes.Value) diag.Diagnostics
	// Check adds checks of a configuration that need no server. Optional.
	Check func(config tftypes.Value) []lens.Problem
}

// readFunc reads the document under a key; a missing one is a 404 fault.
type readFunc func(ctx context.Context, s *session, key []string) (jsonv.Object, error)

// change is one create, update or delete under way, or being planned.
type change struct {
	*session
	kind *kind

	// plan and prior are the resource's objects; plan is null when deleting,
	// prior is null when creating. config holds write-only values.
	plan, prior, config tftypes.Value
	// key is the planned key, was the prior one.
	key, was []string
	// body is what the plan puts, before what the prior state put. Planning
	// leaves body nil when the plan has unknown values.
	body, before jsonv.Object

	// successor is what API.Succeed said of the creation that follows a deletion;
	// nil when none does.
	successor []byte

	// save keeps what the server holds by now, in case a later step fails; keep
	// does the same with a state.
	save  func(body jsonv.Object)
	keep  func(state tftypes.Value)
	diags diag.Diagnostics
}

// decoding is how one document is to be read. document, when not nil, is read in
// its place: the part of it that the object owns. err may be set while decoding,
// by an option that had to ask the server and failed.
type decoding struct {
	options  lens.Options
	document jsonv.Object
	err      error
}

// warn adds a warning to the change's diagnostics.
func (c *change) warn(summary, detail string) { c.diags.AddWarning(summary, detail) }

// typeName is the name users write.
func (d *Declaration) typeName() string { return "port_" + d.Name }

// noun is the name people say.
func (d *Declaration) noun() string { return strings.ReplaceAll(d.Name, "_", " ") }

// importID is the form of the import id as messages show it.
func (d *Declaration) importID() string {
	if d.ImportID != "" {
		return d.ImportID
	}
	parts := make([]string, len(d.Key))
	for i, k := range d.Key {
		parts[i] = "<" + k + ">"
	}
	return strings.Join(parts, ":")
}

// joinID makes the id of a key.
func joinID(key []string) string { return strings.Join(key, ":") }

// id is the id of a key.
func (d *Declaration) id(key []string) string {
	if d.ID != nil {
		return d.ID(key)
	}
	return joinID(key)
}

// splitID is the inverse of joinID as far as there is one: the last part takes
// the rest, because identifiers may hold colons.
func (d *Declaration) splitID(id string) ([]string, bool) {
	parts := strings.SplitN(id, ":", len(d.Key))
	if len(parts) != len(d.Key) {
		return nil, false
	}
	for _, p := range parts {
		if p == "" {
			return nil, false
		}
	}
	return parts, true
}
