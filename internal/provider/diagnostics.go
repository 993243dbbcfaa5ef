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
	located := false
	for _, p := range problemsOf(f) {
		at, ok := k.codec.AttrPath(p.pointer, v)
		if !ok {
			continue
		}
		located = true
		addAt(&diags, diag.SeverityError, at, summary, p.message+"\n\n"+detail)
	}
	if !located {
		diags.AddError(summary, detail)
	}
	return diags
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
		if len(pointer) > 0 {
			out = append(out, serverProblem{pointer, p.Message})
		}
	}
	if len(out) > 0 {
		return out
	}
	if p := jsonv.String(f.Details, "property"); p != "" {
		out = append(out, serverProblem{[]string{"schema", "properties", p}, f.Message}, serverProblem{[]string{"properties", p}, f.Message})
	}
	for _, name := range []string{"relation", "missingRelation"} {
		if r := jsonv.String(f.Details, name); r != "" {
			out = append(out, serverProblem{[]string{"relations", r}, f.Message})
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
		addAt(&diags, severity, p.Path, p.Summary, p.Detail)
	}
	return diags
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
