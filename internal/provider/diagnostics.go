package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lensfw"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// advised is an error that brings its own summary-worthy advice, such as the
// attribute to set; the server's words follow it.
type advised struct {
	advice string
	err    error
}

func (a *advised) Error() string { return a.advice + "\n\n" + a.err.Error() }
func (a *advised) Unwrap() error { return a.err }

// failure turns an error of one operation into diagnostics: the summary says what
// could not be done to which object, the detail gives the server's words and what
// support needs. Pointers in the server's details become attribute paths of v,
// which may be null.
func (k *kind) failure(verb string, key []string, err error, v tftypes.Value) diag.Diagnostics {
	summary := fmt.Sprintf("Could not %s %s", verb, k.decl.noun())
	if id := joinID(key); id != "" {
		summary += " " + id
	}
	var diags diag.Diagnostics
	var already diag.Diagnostics
	var carried *diagnosed
	if errors.As(err, &carried) {
		already = carried.diags
		diags.Append(already...)
		return diags
	}
	if wrong := lens.AllErrors(err); wrong[0].Attr != nil {
		for _, w := range wrong {
			addAt(&diags, diag.SeverityError, w.Attr, summary, w.Error()+".")
		}
		return diags
	}
	f, ok := portapi.AsFault(err)
	if !ok {
		detail := err.Error()
		if errors.Is(err, context.Canceled) {
			detail = "Interrupted before Port answered."
		}
		diags.AddError(summary, detail)
		return diags
	}
	detail := err.Error()
	var a *advised
	if errors.As(err, &a) {
		detail = a.Error()
	}
	addProblems(&diags, summary, detail, f, k.place(problemsOf(f), v))
	return diags
}

// place finds the attributes of problems. A problem that is named in several
// ways, not all of which lead anywhere, is one.
func (k *kind) place(found []serverProblem, v tftypes.Value) []serverProblem {
	var out []serverProblem
	said := map[string]bool{}
	if k.decl.API.Relocate != nil {
		for i := range found {
			found[i].pointer = k.decl.API.Relocate(found[i].pointer)
		}
	}
	for _, p := range found {
		if at, ok := k.codec.AttrPath(p.pointer, v); ok {
			p.at, p.inner = at, k.inside(p.pointer, at, v)
			out, said[p.message] = append(out, p), true
		}
	}
	for _, p := range found {
		if _, ok := k.codec.AttrPath(p.pointer, v); !ok && !said[p.message] {
			out, said[p.message] = append(out, p), true
		}
	}
	return out
}

// inside is the rest of a pointer that goes on in the JSON text of an attribute; ""
// where it does not.
func (k *kind) inside(pointer []string, at *tftypes.AttributePath, v tftypes.Value) string {
	found, _, err := tftypes.WalkAttributePath(v, at)
	shown, ok := found.(tftypes.Value)
	if err != nil || !ok {
		return ""
	}
	s, _ := text(shown)
	if j, err := jsonv.Decode([]byte(s)); err != nil || jsonv.KindOf(j) != "object" && jsonv.KindOf(j) != "array" {
		return ""
	}
	n := len(pointer)
	for n > 0 {
		if above, ok := k.codec.AttrPath(pointer[:n-1], v); !ok || !above.Equal(at) {
			break
		}
		n--
	}
	return jsonv.Pointer(pointer[n:]...)
}

// addProblems says every problem of a refusal once, at its attribute. Of a single
// one the detail of the whole says it all.
func addProblems(diags *diag.Diagnostics, summary, detail string, f *portapi.Fault, found []serverProblem) {
	if len(found) == 0 {
		diags.AddError(summary, detail)
		return
	}
	for _, p := range found {
		if len(found) > 1 {
			detail = p.message + "\n\n" + f.Where()
			if p.inner != "" {
				detail = p.inner + ": " + detail
			}
			if p.at == nil && len(p.pointer) > 0 {
				detail = "/" + strings.Join(p.pointer, "/") + ": " + detail
			}
		}
		addAt(diags, diag.SeverityError, p.at, summary, located(lens.Problem{Path: p.at, Detail: detail}))
	}
}

// diagnosed is an error that already is a list of diagnostics.
type diagnosed struct{ diags diag.Diagnostics }

func (d *diagnosed) Error() string {
	texts := make([]string, 0, len(d.diags))
	for _, e := range d.diags.Errors() {
		texts = append(texts, e.Summary()+": "+e.Detail())
	}
	return strings.Join(texts, "; ")
}

type serverProblem struct {
	pointer []string
	message string
	at      *tftypes.AttributePath // nil when the pointer leads to no attribute
	inner   string                 // where in the attribute's JSON text
}

// problemsOf reads the places a fault names: details.errors[].path, or the single
// property or relation of the older codes (reference/catalog.md §1.2).
func problemsOf(f *portapi.Fault) []serverProblem {
	var out []serverProblem
	for _, p := range f.Problems() {
		pointer := p.Pointer
		if len(pointer) == 0 && p.Property != "" {
			pointer = []string{"properties", p.Property}
		}
		out = append(out, serverProblem{pointer: pointer, message: p.Message})
	}
	if len(out) > 0 {
		return out
	}
	add := func(pointer ...string) { out = append(out, serverProblem{pointer: pointer, message: f.Message}) }
	if f.Code == "invalid_inherited_ownership_path" {
		add("ownership", "path") // the relation it names may be another blueprint's
		return out
	}
	for _, key := range jsonv.Strings(jsonv.List(f.Details, "invalidProperties")) {
		add("entities", propertiesBlock, key)
	}
	for _, key := range jsonv.Strings(jsonv.List(f.Details, "invalidRelations")) {
		add("entities", relationsBlock, key)
	}
	if p := jsonv.String(f.Details, "property"); p != "" {
		add("schema", "properties", p)
		add("properties", p)
	}
	for _, name := range []string{"relation", "missingRelation"} {
		if r := jsonv.String(f.Details, name); r != "" {
			add("relations", r)
		}
	}
	return out
}

// problems turns what the codec found in a configuration into diagnostics.
func problems(found []lens.Problem) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, p := range found {
		severity := diag.SeverityError
		if p.Warning {
			severity = diag.SeverityWarning
		}
		addAt(&diags, severity, p.Path, p.Summary, located(p))
	}
	return diags
}

// located is the detail of a problem with its place in front: Terraform shows the
// line of the root attribute at best.
func located(p lens.Problem) string {
	if p.Path == nil || len(p.Path.Steps()) < 2 || strings.HasPrefix(p.Detail, "Attribute ") {
		return p.Detail
	}
	return "Attribute " + lens.PathString(p.Path) + ": " + p.Detail
}

func addAt(diags *diag.Diagnostics, severity diag.Severity, at *tftypes.AttributePath, summary, detail string) {
	p := lensfw.Path(at)
	switch {
	case severity == diag.SeverityWarning && p.Equal(path.Empty()):
		diags.AddWarning(summary, detail)
	case severity == diag.SeverityWarning:
		diags.AddAttributeWarning(p, summary, detail)
	case p.Equal(path.Empty()):
		diags.AddError(summary, detail)
	default:
		diags.AddAttributeError(p, summary, detail)
	}
}

// protocolPath is the inverse of [lensfw.Path].
func protocolPath(p path.Path) *tftypes.AttributePath {
	at := tftypes.NewAttributePath()
	for _, step := range p.Steps() {
		switch step := step.(type) {
		case path.PathStepAttributeName:
			at = at.WithAttributeName(string(step))
		case path.PathStepElementKeyString:
			at = at.WithElementKeyString(string(step))
		case path.PathStepElementKeyInt:
			at = at.WithElementKeyInt(int(step))
		default:
			return at
		}
	}
	return at
}
