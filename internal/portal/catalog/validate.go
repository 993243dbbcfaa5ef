package catalog

import (
	"net/http"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// linker checks what a definition says about other definitions. Parts that did
// not change are only checked at their first hop, so that a broken reference
// elsewhere does not block an unrelated write (reference/catalog.md §2.13).
type linker struct {
	s *session
	// next is the definition being written; old is what it replaces, nil on creation.
	next, old *blueprint
}

// find returns a blueprint as it will be after the write.
func (l *linker) find(id string) (*blueprint, error) {
	if id == l.next.id || (l.old != nil && id == l.old.id) {
		return l.next, nil
	}
	return l.s.blueprint(id)
}

// changed tells whether an entry of one of the maps is new or differs.
func (l *linker) changed(path ...string) bool {
	if l.old == nil {
		return true
	}
	was, ok := jsonv.Get(l.old.doc, path...)
	is, _ := jsonv.Get(l.next.doc, path...)
	return !ok || !jsonv.Equal(was, is)
}

func (l *linker) check() error {
	for _, step := range []func() error{l.relations, l.mirrors, l.aggregations, l.ownership} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// relations checks R3: a target exists or is the blueprint itself.
func (l *linker) relations() error {
	for _, key := range l.next.relationKeys {
		if !l.changed("relations", key) {
			continue
		}
		target := l.next.relations[key].target
		b, err := l.find(target)
		if err != nil {
			return err
		}
		if b == nil {
			return fault.NotFound("Blueprint", target).With("relation", key)
		}
	}
	return nil
}

// mirrors checks M7: every hop and the leaf resolve.
func (l *linker) mirrors() error {
	for _, key := range sortedKeys(l.next.mirrors) {
		m := l.next.mirrors[key]
		hops := m.hops
		if !l.changed("mirrorProperties", key) {
			hops = hops[:1]
		}
		end, missing, err := l.s.walkBlueprints(l.find, l.next, hops)
		if err != nil {
			return err
		}
		if end == nil {
			return fault.NotFound("Relation", missing).With("property", key).With("path", m.path)
		}
		if len(hops) == len(m.hops) && l.changed("mirrorProperties", key) && !end.has(m.leaf) {
			return fault.NotFound("Property", m.leaf).With("property", key).With("path", m.path).With("blueprint", end.id)
		}
	}
	return nil
}

// has tells whether name can end a mirror path (M2).
func (b *blueprint) has(name string) bool {
	if strings.HasPrefix(name, "$") {
		return isMeta(name) && name != "$datasource"
	}
	_, own := b.props[name]
	_, rel := b.relations[name]
	return own || rel || b.computed(name) != notComputed
}

func (l *linker) aggregations() error {
	for _, key := range sortedKeys(l.next.aggs) {
		if !l.changed("aggregationProperties", key) {
			continue
		}
		if err := l.aggregation(key, l.next.aggs[key]); err != nil {
			return err
		}
	}
	return nil
}

func (l *linker) aggregation(key string, a *aggregation) error {
	at := jsonv.Pointer("aggregationProperties", key)
	target, err := l.find(a.target)
	if err != nil {
		return err
	}
	if target == nil {
		return fault.NotFound("Blueprint", a.target).With("property", key)
	}
	if len(a.path) > 0 {
		if err := l.aggregationPath(at, key, a, target); err != nil {
			return err
		}
	}
	if a.byProperty {
		if !target.has(a.property) {
			return fault.NotFound("Property", a.property).With("property", key).With("blueprint", target.id)
		}
		f, err := l.s.field(target, a.property, 0)
		if err != nil {
			return err
		}
		if f.Type != "number" {
			return invalid(at+"/calculationSpec/property", "%q of blueprint %q is not a number property", a.property, target.id)
		}
	}
	return l.measureTime(at, key, a, target)
}

// aggregationPath checks A5 and A6.
func (l *linker) aggregationPath(at, key string, a *aggregation, target *blueprint) error {
	start, want := l.next, target
	if a.from != "" {
		from, err := l.find(a.from)
		if err != nil {
			return err
		}
		if from == nil {
			return fault.NotFound("Blueprint", a.from).With("property", key)
		}
		if from != target {
			return invalid(at+"/pathFilter/0/fromBlueprint", "must be the target, %q", target.id)
		}
		start, want = target, l.next
	}
	end, missing, err := l.s.walkBlueprints(l.find, start, a.path)
	if err != nil {
		return err
	}
	if end == nil {
		return fault.NotFound("Relation", missing).With("property", key)
	}
	if end.id != want.id {
		return invalid(at+"/pathFilter/0/path", "the path ends at blueprint %q, want %q", end.id, want.id)
	}
	return nil
}

// measureTime checks A8.
func (l *linker) measureTime(at, key string, a *aggregation, target *blueprint) error {
	switch a.measureTime {
	case "$createdAt", "$updatedAt":
		return nil
	}
	if !target.has(a.measureTime) {
		return fault.NotFound("Property", a.measureTime).With("property", key).With("blueprint", target.id)
	}
	f, err := l.s.field(target, a.measureTime, 0)
	if err != nil {
		return err
	}
	if f.Format != "date-time" && f.Format != "timer" {
		return invalid(at+"/calculationSpec/measureTimeBy", "%q of blueprint %q is not a date-time property", a.measureTime, target.id)
	}
	return nil
}

// ownership checks the path of Inherited ownership (§2.10).
func (l *linker) ownership() error {
	if l.next.ownership.kind != inheritedOwnership {
		return nil
	}
	path, whole := l.next.ownership.path, l.changed("ownership")
	if !whole {
		path = path[:1]
	}
	end := l.next
	for _, step := range path {
		r, ok := end.relations[step]
		if !ok {
			return badOwnershipPath(step, "relation %q does not exist on blueprint %q", step, end.id)
		}
		next, err := l.find(r.target)
		if err != nil {
			return err
		}
		if next == nil {
			return badOwnershipPath(step, "relation %q of blueprint %q leads to no blueprint", step, end.id)
		}
		end = next
	}
	if whole && end.ownership.kind == noOwnership {
		return badOwnershipPath(path[len(path)-1], "it ends at blueprint %q, which has no ownership", end.id)
	}
	return nil
}

func badOwnershipPath(missing, format string, args ...any) error {
	why := fault.New(http.StatusUnprocessableEntity, "invalid_inherited_ownership_path", format, args...)
	why.Message = "the inherited ownership path entered is invalid: " + why.Message
	return why.With("missingRelation", missing)
}
