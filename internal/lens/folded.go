package lens

import "github.com/hashicorp/terraform-plugin-go/tftypes"

// Folded is text that may be written in several ways and has one form on the
// wire, which fold gives: an e-mail address in any letter case. What is read
// without a prior spelling is shown as show has it; nil shows it as it came.
func Folded(fold, show func(string) string) Kind { return foldedKind{fold: fold, show: show} }

type foldedKind struct {
	stringKind
	fold, show func(string) string
}

func (k foldedKind) Put(r *Run, v tftypes.Value) (any, error) {
	s, ok := r.text(v)
	if !ok {
		return nil, notKnown(v, "a string")
	}
	return k.fold(s), nil
}

func (k foldedKind) Get(_ *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	s, ok := j.(string)
	if !ok {
		return tftypes.Value{}, wrongKind("a string", j)
	}
	if was, had := asString(prior); had && k.fold(was) == k.fold(s) {
		return prior, nil
	}
	if k.show != nil {
		s = k.show(s)
	}
	return Str(s), nil
}

func (k foldedKind) same(r *Run, v tftypes.Value, j any) bool {
	s, ok := j.(string)
	got, known := r.text(v)
	return ok && known && k.fold(got) == k.fold(s)
}
