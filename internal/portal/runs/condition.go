package runs

import (
	"maps"
	"regexp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
)

// condition is what an entity must fulfil for the action to be offered (step 6).
// Whatever of it is about the caller is about whom the action is run as.
func (x *execution) condition() error {
	condition := jsonv.Map(x.action, "trigger", "condition")
	if condition == nil || x.entity == nil {
		return nil
	}
	rule := func(property string, value any) jsonv.Object {
		return jsonv.Object{"property": property, "operator": "=", "value": value}
	}
	query := jsonv.Object{"combinator": "and", "rules": []any{
		rule("$blueprint", x.entity["blueprint"]), rule("$identifier", x.entity["identifier"]),
		jsonv.Object{"combinator": condition["combinator"], "rules": unmirrored(condition["rules"], x.blueprint)},
	}}
	actor := catalog.Actor{Org: x.who.Org}
	if x.who.User != nil {
		actor.User = x.who.User.Email
	}
	found, err := x.r.deps.Catalog.Find(x.ctx, x.tx, actor, query, 1)
	if err == nil && len(found) == 0 {
		return notOn("condition", "entity %q does not fulfil the condition of action %q", x.wanted, x.order.Action)
	}
	return err
}

// unmirrored are the rules of a condition as they are evaluated: a calculation that is
// built on mirror properties is empty there (reference/actions.md §1.2).
func unmirrored(rules any, blueprint jsonv.Object) any {
	list, ok := rules.([]any)
	if !ok {
		return rules
	}
	out := make([]any, len(list))
	for i, rule := range list {
		out[i] = rule
		o, ok := rule.(jsonv.Object)
		if !ok {
			continue
		}
		o = maps.Clone(o)
		if nested, ok := o["rules"]; ok {
			o["rules"] = unmirrored(nested, blueprint)
		}
		if id, ok := o["property"].(string); ok && readsMirrors(blueprint, id) {
			o["property"] = emptyProperty
		}
		out[i] = o
	}
	return out
}

// emptyProperty is the name of no property: what is not there is empty.
const emptyProperty = "no property"

// readsMirrors tells whether a property is a calculation whose program names a mirror
// property.
func readsMirrors(blueprint jsonv.Object, property string) bool {
	program := jsonv.String(blueprint, "calculationProperties", property, "calculation")
	if program == "" {
		return false
	}
	for mirror := range jsonv.Map(blueprint, "mirrorProperties") {
		if regexp.MustCompile(`\.properties[\s|.?\["'(]+` + regexp.QuoteMeta(mirror) + `(?:[^A-Za-z0-9_]|$)`).MatchString(program) {
			return true
		}
	}
	return false
}
