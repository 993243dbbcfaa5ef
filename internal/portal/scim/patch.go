package scim

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// operation is one step of a PATCH (RFC 7644 §3.5.2).
type operation struct {
	op    string
	path  string
	value any
}

// maxOperations bounds one PATCH.
const maxOperations = 1000

// operations reads the body of a PATCH. Names of operations are taken in any letter
// case: one provider capitalizes them.
func operations(body any) ([]operation, error) {
	b, ok := body.(jsonv.Object)
	if !ok {
		return nil, refuse(invalidSyntax, "a PATCH must be an object, got %s", jsonv.KindOf(body))
	}
	list, ok := member(b, "Operations").([]any)
	if !ok || len(list) == 0 || len(list) > maxOperations {
		return nil, refuse(invalidSyntax, "Operations must be an array of 1 to %d operations", maxOperations)
	}
	out := make([]operation, 0, len(list))
	for _, e := range list {
		o, _ := e.(jsonv.Object)
		op := operation{strings.ToLower(textOf(o, "op")), textOf(o, "path"), member(o, "value")}
		switch {
		case !slices.Contains([]string{"add", "replace", "remove"}, op.op):
			return nil, refuse(invalidSyntax, "op must be add, replace or remove")
		case op.op == "remove" && op.path == "":
			return nil, refuse(noTarget, "remove needs a path")
		}
		out = append(out, op)
	}
	return out, nil
}

// apply changes a resource.
func (o operation) apply(resource jsonv.Object) error {
	if o.path != "" {
		return o.applyAt(resource)
	}
	value, ok := o.value.(jsonv.Object)
	if !ok {
		return refuse(invalidValue, "%s without a path needs an object", o.op)
	}
	for _, key := range sorted(value) {
		if inner, ok := value[key].(jsonv.Object); ok && strings.EqualFold(key, enterpriseSchema) {
			for _, name := range sorted(inner) {
				if err := (operation{o.op, key + ":" + name, inner[name]}).applyAt(resource); err != nil {
					return err
				}
			}
			continue
		}
		if slices.ContainsFunc(unpatched, func(name string) bool { return strings.EqualFold(name, key) }) {
			continue
		}
		if err := (operation{o.op, key, value[key]}).applyAt(resource); err != nil {
			return err
		}
	}
	return nil
}

// unpatched are attributes of the server that come along with whole resources.
var unpatched = []string{"id", "meta", "schemas", "groups"}

func (o operation) applyAt(resource jsonv.Object) error {
	name, condition, sub, err := splitPath(o.path)
	if err != nil {
		return err
	}
	path, err := parseAttribute(name)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(unpatched, func(name string) bool { return strings.EqualFold(name, path.name) }) {
		return refuse(mutability, "%q is read-only", path.name)
	}
	holder := path.holder(resource)
	if holder == nil {
		holder = jsonv.Object{}
		resource[path.extension] = holder
	}
	if path.name == "" { // a whole extension
		if inner, ok := o.value.(jsonv.Object); ok && o.op != "remove" {
			resource[path.extension] = inner
		} else {
			delete(resource, path.extension)
		}
		return nil
	}
	key := spelled(holder, path.name)
	switch {
	case condition != nil:
		return o.applyElements(holder, key, condition, sub)
	case path.sub != "":
		return o.applyInner(holder, key, path.sub)
	}
	o.applyWhole(holder, key)
	return nil
}

// splitPath takes name[filter].sub apart.
func splitPath(path string) (name string, condition filter, sub string, err error) {
	open := strings.IndexByte(path, '[')
	if open < 0 {
		return path, nil, "", nil
	}
	end := strings.LastIndexByte(path, ']')
	if end < open {
		return "", nil, "", refuse(invalidPath, "the path %q does not close its bracket", cutText(path))
	}
	if condition, err = parseFilter(path[open+1 : end]); err != nil {
		return "", nil, "", err
	}
	rest := path[end+1:]
	sub, dotted := strings.CutPrefix(rest, ".")
	if condition == nil || rest != "" && (!dotted || sub == "") {
		return "", nil, "", refuse(invalidPath, "the path %q cannot be read", cutText(path))
	}
	return path[:open], condition, sub, nil
}

// applyWhole changes an attribute as a whole.
func (o operation) applyWhole(holder jsonv.Object, key string) {
	now, isList := holder[key].([]any)
	isList = isList || slices.Contains(multiValued, key)
	switch {
	case o.op == "remove" && isList && o.value != nil:
		// One provider names what is to go by value instead of by path.
		gone := map[string]bool{}
		for _, e := range listOf(o.value) {
			gone[sameAs(e)] = true
		}
		holder[key] = slices.DeleteFunc(slices.Clone(now), func(e any) bool { return gone[sameAs(e)] })
	case o.op == "remove":
		delete(holder, key)
	case isList && o.op == "add":
		have, all := map[string]bool{}, slices.Clone(now)
		for _, e := range now {
			have[sameAs(e)] = true
		}
		for _, e := range listOf(o.value) {
			if same := sameAs(e); !have[same] {
				have[same], all = true, append(all, e)
			}
		}
		holder[key] = all
	case isList:
		holder[key] = listOf(o.value)
	default:
		into, isObject := holder[key].(jsonv.Object)
		value, given := o.value.(jsonv.Object)
		if !isObject || !given {
			holder[key] = o.value
			return
		}
		into = jsonv.CloneObject(into)
		for name := range value {
			into[spelled(into, name)] = value[name]
		}
		holder[key] = into
	}
}

// applyInner changes an attribute inside another one, in every element of a list.
func (o operation) applyInner(holder jsonv.Object, key, sub string) error {
	switch top := holder[key].(type) {
	case nil:
		if o.op != "remove" {
			holder[key] = jsonv.Object{sub: o.value}
			if slices.Contains(multiValued, key) {
				holder[key] = []any{jsonv.Object{sub: o.value}}
			}
		}
	case jsonv.Object:
		top = jsonv.CloneObject(top)
		o.set(top, sub)
		holder[key] = top
	case []any:
		holder[key] = o.each(top, func(jsonv.Object) bool { return true }, sub)
	default:
		return refuse(invalidPath, "%q has no inner attributes", key)
	}
	return nil
}

func (o operation) set(into jsonv.Object, name string) {
	name = spelled(into, name)
	if o.op == "remove" {
		delete(into, name)
		return
	}
	into[name] = o.value
}

// applyElements changes the elements of a list that match.
func (o operation) applyElements(holder jsonv.Object, key string, condition filter, sub string) error {
	list, _ := holder[key].([]any)
	found := slices.ContainsFunc(list, func(e any) bool {
		element, ok := e.(jsonv.Object)
		return ok && condition.match(element)
	})
	switch {
	case found && o.op == "remove" && sub == "":
		holder[key] = slices.DeleteFunc(slices.Clone(list), func(e any) bool {
			element, ok := e.(jsonv.Object)
			return ok && condition.match(element)
		})
	case found:
		holder[key] = o.each(list, condition.match, sub)
	case o.op != "remove":
		// Providers replace emails[type eq "work"].value of who has none yet.
		element := jsonv.Object{}
		described(condition, element)
		if value, ok := o.value.(jsonv.Object); ok && sub == "" {
			for name := range value {
				element[name] = value[name]
			}
		} else if sub != "" {
			element[sub] = o.value
		}
		if len(element) == 0 {
			return refuse(noTarget, "nothing matches the path %q", cutText(o.path))
		}
		holder[key] = append(slices.Clone(list), element)
	}
	return nil
}

func (o operation) each(list []any, match func(jsonv.Object) bool, sub string) []any {
	out := make([]any, 0, len(list))
	for _, e := range list {
		element, ok := e.(jsonv.Object)
		if ok && match(element) {
			element = jsonv.CloneObject(element)
			if value, isObject := o.value.(jsonv.Object); isObject && sub == "" {
				for name := range value {
					element[spelled(element, name)] = value[name]
				}
			} else if sub != "" {
				o.set(element, sub)
			}
			e = element
		}
		out = append(out, e)
	}
	return out
}

// described writes down what a filter of equations says.
func described(f filter, into jsonv.Object) {
	switch f := f.(type) {
	case compare:
		if f.op == "eq" && f.path.sub == "" {
			into[f.path.name] = f.value
		}
	case both:
		described(f.a, into)
		described(f.b, into)
	}
}

func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	}
	return []any{v}
}

// sameAs is equal for elements of a list that are the same: those of one value.
func sameAs(e any) string {
	if o, ok := e.(jsonv.Object); ok {
		return "value " + string(jsonv.Encode(member(o, "value")))
	}
	return string(jsonv.Encode(e))
}

func sorted(o jsonv.Object) []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
