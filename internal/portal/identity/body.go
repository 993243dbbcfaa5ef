package identity

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// check adds what is wrong with the value at a pointer. Messages say nothing of
// the value: it may be a secret.
type check func(path string, v any)

// closed checks an object that takes only some keys.
func closed(p *fault.Problems, body any, takes map[string]check, required ...string) jsonv.Object {
	b, ok := body.(jsonv.Object)
	if !ok {
		p.Add("", "must be object, got %s", jsonv.KindOf(body))
		return nil
	}
	for _, key := range required {
		if _, ok := b[key]; !ok {
			p.Add("", "must have required property '%s'", key)
		}
	}
	for key, value := range b {
		if rule, ok := takes[key]; ok {
			rule("/"+key, value)
		} else {
			p.Add("", "%s", fault.UnknownKey(key))
		}
	}
	return b
}

// found reads a document that a path names.
func found(tx store.Tx, kind store.Kind, noun, org, id string) (store.Doc, error) {
	doc, err := tx.Get(kind, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound(noun, id)
	}
	return doc, err
}

func text(p *fault.Problems, path string, v any, shortest, longest int) {
	s, ok := v.(string)
	n := utf8.RuneCountInString(s)
	switch {
	case !ok:
		p.Add(path, "must be string, got %s", jsonv.KindOf(v))
	case n < shortest:
		p.Add(path, "must NOT have fewer than %d characters", shortest)
	case longest > 0 && n > longest:
		p.Add(path, "must NOT have more than %d characters", longest)
	}
}

func boolean(p *fault.Problems, path string, v any) {
	if _, ok := v.(bool); !ok {
		p.Add(path, "must be boolean, got %s", jsonv.KindOf(v))
	}
}

func oneOf(p *fault.Problems, path string, v any, allowed ...string) {
	if s, ok := v.(string); !ok || !slices.Contains(allowed, s) {
		p.Add(path, "must be equal to one of the allowed values: %v", allowed)
	}
}
