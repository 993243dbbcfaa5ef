package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// mirror is a parsed mirror path: relations to follow, then what to read there.
type mirror struct {
	path string
	hops []string
	leaf string
}

// mirror evaluates a mirror property (reference/catalog.md §2.7 M5): a scalar
// through single relations, otherwise an array without nulls, in relation order.
func (v *view) mirror(m mirror) (any, error) {
	ends, many, known, err := v.walk(m.hops)
	if err != nil || !known {
		return nil, err
	}
	if !many {
		if !v.hopsMany(m.hops) {
			if len(ends) == 0 {
				return nil, nil
			}
			return ends[0].leaf(m.leaf)
		}
	}
	out := []any{}
	for _, e := range ends {
		value, err := e.leaf(m.leaf)
		if err != nil {
			return nil, err
		}
		switch value := value.(type) {
		case nil:
		case []any:
			for _, element := range value {
				if element != nil {
					out = append(out, element)
				}
			}
		default:
			out = append(out, value)
		}
	}
	return out, nil
}

// hopsMany tells from the definitions alone whether a path can lead to several
// entities; a walk that ended early did not see all of its steps.
func (v *view) hopsMany(hops []string) bool {
	bp := v.bp
	for _, hop := range hops {
		if hop == "$team" {
			return true
		}
		r, ok := bp.relations[hop]
		if !ok {
			return false
		}
		if r.many {
			return true
		}
		next, err := v.s.blueprint(r.target)
		if err != nil || next == nil {
			return false
		}
		bp = next
	}
	return false
}

// mirrorTitles evaluates a mirror that ends in $title as {"identifier","title"}
// (attach_identifier_to_title_mirror_properties, reference/catalog.md §1.5).
func (v *view) mirrorTitles(m mirror) (any, error) {
	ends, many, known, err := v.walk(m.hops)
	if err != nil || !known {
		return nil, err
	}
	if !many && !v.hopsMany(m.hops) {
		if len(ends) == 0 {
			return nil, nil
		}
		return ends[0].titled(), nil
	}
	out := []any{}
	for _, e := range ends {
		out = append(out, e.titled())
	}
	return out, nil
}

func (v *view) titled() any {
	return jsonv.Object{"identifier": v.key.id, "title": v.doc["title"]}
}
