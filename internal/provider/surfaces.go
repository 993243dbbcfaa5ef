package provider

import (
	"slices"

	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lensfw"
)

// surfaces are the schemas of a kind, built once per process: the framework asks
// for them on every call, and building them costs more than the call.
type surfaces struct {
	resourceSchema schema.Schema
	dataSchema     dataschema.Schema
	identitySchema identityschema.Schema
	dataType       tftypes.Object
	identityType   tftypes.Object
}

// registered are the kinds of objects the provider knows.
var registered = compileAll(blueprintDeclaration(), blueprintRelationDeclaration(), entityDeclaration(), systemBlueprintDeclaration(), aggregationDeclaration(), entitiesDeclaration(),
	organizationDeclaration(), organizationSecretDeclaration(), appDeclaration(), blueprintPermissionsDeclaration(),
	teamDeclaration(), userDeclaration(), serviceAccountDeclaration(), actionDeclaration(), actionPermissionsDeclaration(),
	actionRunDeclaration(), approvalDeclaration())

func compileAll(declarations ...*Declaration) []*kind {
	out := make([]*kind, len(declarations))
	for i, d := range declarations {
		out[i] = compile(d)
	}
	return out
}

// compile panics on a broken declaration, which the first test run shows.
func compile(d *Declaration) *kind {
	codec := lens.MustCompile(append([]lens.Part{d.idPart()}, d.Parts...)...)
	k := &kind{decl: d, codec: codec, typ: codec.Type(), attrs: codec.Attrs(), null: lens.Null(codec.Type())}
	k.simple = isSimple(k.attrs, false)
	k.remembers = remembers(k.attrs)
	k.resourceSchema = lensfw.ResourceSchema(k.attrs, d.Doc)
	asked := d.Key
	if d.Singleton {
		asked = nil
	}
	k.dataSchema = lensfw.DataSourceSchema(k.attrs, d.DataDoc, asked...)
	dataType, ok := k.dataSchema.Type().TerraformType(nil).(tftypes.Object) //nolint:staticcheck // the context is not used
	if !ok {
		panic("provider: the schema of data source " + d.typeName() + " is no object")
	}
	k.dataType = dataType
	k.identitySchema, k.identityType = identityOf(k)
	return k
}

// idPart is the attribute id.
func (d *Declaration) idPart() lens.Part {
	const doc = "ID of the resource, the same as its import ID."
	keys := d.wireKey()
	if d.ID == nil {
		return lens.ID(doc, keys...)
	}
	return lens.Derived("id", doc, func(b lens.Body) (string, bool) {
		key := make([]string, len(keys))
		for i, name := range keys {
			s, ok := b[name].(string)
			if !ok {
				return "", false
			}
			key[i] = s
		}
		return d.ID(key), true
	})
}

// wireKey names the keys of the document that the key attributes stand for.
func (d *Declaration) wireKey() []string {
	out := slices.Clone(d.Key)
	for i, name := range d.Key {
		for _, p := range d.Parts {
			attrs, keys := p.Attrs(), p.Keys()
			if len(attrs) == 1 && attrs[0].Name == name && len(keys) == 1 && len(keys[0]) == 1 {
				out[i] = keys[0][0]
			}
		}
	}
	return out
}

func identityOf(k *kind) (identityschema.Schema, tftypes.Object) {
	s := identityschema.Schema{Attributes: map[string]identityschema.Attribute{}}
	t := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
	for _, name := range k.decl.Key {
		a := identityschema.StringAttribute{RequiredForImport: true}
		for _, at := range k.attrs {
			if at.Name == name {
				a.Description = at.Doc
			}
		}
		s.Attributes[name] = a
		t.AttributeTypes[name] = tftypes.String
	}
	return s, t
}

// identity is the identity value of a key.
func (k *kind) identity(key []string) tftypes.Value {
	m := make(lens.Obj, len(key))
	for i, name := range k.decl.Key {
		m[name] = lens.Str(key[i])
	}
	return tftypes.NewValue(k.identityType, m)
}

// says reports whether an identity says anything: Terraform sends one of nulls
// along with an empty import ID.
func (k *kind) says(identity tftypes.Value) bool {
	m := lens.AsObj(identity)
	for _, name := range k.decl.Key {
		if !lens.Nothing(m[name]) {
			return true
		}
	}
	return false
}

// importIdentity is the state that an identity stands for.
func (k *kind) importIdentity(identity tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	key, ok := k.key(identity)
	if !ok {
		return k.null, diag.Diagnostics{diag.NewErrorDiagnostic("Could not import "+k.decl.noun(),
			"The identity is not complete: want a value for each of its attributes.")}
	}
	return k.stateOf(key), nil
}
