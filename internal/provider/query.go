package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lensfw"
)

// Query is all there is to say about a data source that finds objects instead of
// being told which: arguments in, results and a list of objects out. Schema, checks, encoding
// and decoding follow from it, as from a [Declaration].
type Query struct {
	// Name is the type name without the provider's prefix: "entities". IDDoc says
	// what id is where that is not made of the arguments.
	Name, Doc, IDDoc string
	// Args are what a configuration asks; they are encoded as one document.
	Args []lens.Part
	// Results are computed beside the list, decoded from the findings' document.
	Results []lens.Part
	// List names the computed list, "" for none; Element describes the objects in
	// it. Client side settings of an element are left out.
	List, ListDoc string
	Element       []lens.Part
	// Loose makes what is not declared computed optional too, where the official
	// schema has it so.
	Loose bool

	// Run asks the server.
	Run func(ctx context.Context, q *question) (*findings, error)
}

// question is one reading of a query under way.
type question struct {
	*session
	// args are the configured arguments, body what they put.
	args lens.Obj
	body jsonv.Object
	// diags receive warnings.
	diags diag.Diagnostics
}

// findings are what a query brought.
type findings struct {
	// id identifies the question; "" derives it from the arguments.
	id       string
	document jsonv.Object
	elements []jsonv.Object
	// options say how an element is to be decoded; optional.
	options func(element jsonv.Object) lens.Options
	// finish may change what an element was decoded to; optional.
	finish func(element lens.Obj)
}

// asker is a query compiled once.
type asker struct {
	query                  *Query
	args, results, element *lens.Codec
	schema                 dataschema.Schema
	typ, elementType       tftypes.Object
}

// queries are the data sources that find objects.
var queries = []*asker{compileQuery(searchQuery()), compileQuery(entitiesQuery()), compileQuery(blueprintsQuery()),
	compileQuery(usersQuery()), compileQuery(teamsQuery()), compileQuery(whoamiQuery()), compileQuery(actionsQuery()), compileQuery(actionRunsQuery())}

// compileQuery panics on a broken declaration, as [compile] does.
func compileQuery(q *Query) *asker {
	a := &asker{query: q}
	a.args = lens.MustCompile(q.Args...)
	idDoc := q.IDDoc
	if idDoc == "" {
		idDoc = "ID of the question: the same as long as the arguments are."
	}
	a.results = lens.MustCompile(append([]lens.Part{lens.ReadOnly("id", lens.String, idDoc)}, q.Results...)...)
	a.element = lens.MustCompile(slices.DeleteFunc(slices.Clone(q.Element), isSetting)...)
	results := slices.Clone(a.results.Attrs())
	if q.List != "" {
		list := lens.ReadOnly(q.List, lens.List(lens.Object(slices.DeleteFunc(slices.Clone(q.Element), isSetting)...)), q.ListDoc)
		results = append(results, list.Attrs()...)
	}
	a.schema = lensfw.QuerySchema(a.args.Attrs(), results, q.Doc, q.Loose)
	typ, ok := a.schema.Type().TerraformType(context.Background()).(tftypes.Object)
	if !ok {
		panic("provider: the schema of data source " + q.typeName() + " is no object")
	}
	a.typ = typ
	if q.List == "" {
		return a
	}
	of, ok := typ.AttributeTypes[q.List].(tftypes.List)
	if !ok {
		panic("provider: data source " + q.typeName() + " has no list " + q.List)
	}
	if a.elementType, ok = of.ElementType.(tftypes.Object); !ok {
		panic("provider: data source " + q.typeName() + " lists no objects")
	}
	return a
}

// isSetting reports whether a part says only what the provider does, which a
// data source has no use for.
func isSetting(p lens.Part) bool {
	attrs := p.Attrs()
	return len(attrs) > 0 && !slices.ContainsFunc(attrs, func(a lens.Attr) bool { return !a.Client })
}

func (q *Query) typeName() string { return "port_" + q.Name }

// ask answers a configuration whose values are all known.
func (a *asker) ask(ctx context.Context, s *session, config tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	q := &question{session: s, args: lens.AsObj(config)}
	answer, err := a.answer(ctx, q, config)
	if err != nil {
		failed := &kind{decl: &Declaration{Name: a.query.Name}, codec: a.args}
		q.diags.Append(failed.failure("read", nil, err, config)...)
	}
	return answer, q.diags
}

func (a *asker) answer(ctx context.Context, q *question, config tftypes.Value) (tftypes.Value, error) {
	null := lens.Null(a.typ)
	var err error
	if q.body, err = a.args.Put(config, lens.Null(a.args.Type())); err != nil {
		return null, err
	}
	found, err := a.query.Run(ctx, q)
	if err != nil {
		return null, err
	}
	if found.id == "" {
		sum := sha256.Sum256(jsonv.Encode(q.body))
		found.id = hex.EncodeToString(sum[:])
	}
	document := jsonv.Object{"id": found.id}
	for key, v := range found.document {
		document[key] = v
	}
	beside, err := a.results.Get(document, lens.Null(a.results.Type()))
	if err != nil {
		return null, err
	}
	elements := make([]tftypes.Value, len(found.elements))
	for i, e := range found.elements {
		if elements[i], err = a.decode(q, found, e); err != nil {
			return null, err
		}
	}
	out := lens.Obj{}
	for name := range a.typ.AttributeTypes {
		switch v, computed := lens.AsObj(beside)[name]; {
		case name == a.query.List:
			out[name] = tftypes.NewValue(a.typ.AttributeTypes[name], elements)
		case computed:
			out[name] = v
		default:
			out[name] = q.args[name]
		}
	}
	return tftypes.NewValue(a.typ, out), nil
}

// decode reads one element. Values that no attribute can hold are left out and
// said: one of them must not hide all the others.
func (a *asker) decode(q *question, found *findings, element jsonv.Object) (tftypes.Value, error) {
	codec := a.element.With(lens.Options{EscapeHTML: q.escapeHTML})
	if found.options != nil {
		o := found.options(element)
		o.EscapeHTML = q.escapeHTML
		codec = a.element.With(o)
	}
	v, err := codec.Get(element, lens.Null(codec.Type()))
	if err != nil {
		tidy := jsonv.CloneObject(element)
		for _, e := range lens.AllErrors(err) {
			if len(e.Key) == 0 {
				return v, err
			}
			leaveOut(tidy, e.Key)
			q.diags.AddWarning(fmt.Sprintf("A value of %s is left out", jsonv.String(element, "identifier")), e.Error()+".")
		}
		if v, err = codec.Get(tidy, lens.Null(codec.Type())); err != nil {
			return v, err
		}
	}
	if found.finish != nil {
		m := lens.Obj{}
		for name, attribute := range lens.AsObj(v) {
			m[name] = attribute
		}
		found.finish(m)
		v = tftypes.NewValue(codec.Type(), m)
	}
	return lens.Project(v, a.elementType)
}

// leaveOut removes the value that a path leads into, as a whole where it is no
// object.
func leaveOut(document jsonv.Object, path []string) {
	for i, key := range path {
		next, ok := document[key].(jsonv.Object)
		if !ok || i == len(path)-1 {
			delete(document, key)
			return
		}
		document = next
	}
}

// search is the data source of every query.
type search struct {
	asker   *asker
	session *session
}

var (
	_ datasource.DataSourceWithConfigure      = (*search)(nil)
	_ datasource.DataSourceWithValidateConfig = (*search)(nil)
)

func (d *search) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.asker.query.typeName()
}

func (d *search) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = d.asker.schema
}

func (d *search) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		d.session = s
	}
}

func (d *search) ValidateConfig(_ context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	resp.Diagnostics.Append(problems(d.asker.args.Problems(req.Config.Raw))...)
}

func (d *search) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	state, diags := d.asker.ask(ctx, d.session, req.Config.Raw)
	resp.Diagnostics.Append(diags...)
	if !resp.Diagnostics.HasError() {
		resp.State.Raw = state
	}
}
