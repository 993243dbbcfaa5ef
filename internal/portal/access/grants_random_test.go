package access_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// literal evaluates reference/identity.md §7.5 word by word on documents and
// entities as callers read them.
type literal struct {
	user *access.User
	// entities are the "entities" of the blueprint's document.
	entities jsonv.Object
	// owns: the blueprint has ownership; via is the relation by which it inherits.
	owns bool
	via  string
}

func (l literal) static(b jsonv.Object, step string) bool {
	switch step {
	case "role":
		return slices.ContainsFunc(jsonv.Strings(b["roles"]), func(role string) bool {
			role = strings.ToLower(role)
			if role == "member" {
				return true
			}
			if l.user.Role != "Moderator" || len(l.user.Moderates) == 0 {
				return false
			}
			return role == "moderator" || slices.ContainsFunc(l.user.Moderates, func(bp string) bool { return role == strings.ToLower(bp)+"-moderator" })
		})
	case "team":
		return common(l.user.Teams, jsonv.Strings(b["teams"]))
	}
	return slices.ContainsFunc(jsonv.Strings(b["users"]), func(u string) bool { return strings.EqualFold(u, l.user.Email) })
}

func (l literal) owned(b, e jsonv.Object) bool {
	return jsonv.Bool(b, "ownedByTeam") && l.owns && common(l.user.Teams, jsonv.Strings(e["team"]))
}

func (l literal) allowed(b, e jsonv.Object) bool {
	if l.static(b, "role") || l.owned(b, e) || l.static(b, "team") || l.static(b, "user") {
		return true
	}
	policy, given := b["policy"]
	return given && !jsonv.Bool(b, "ownedByTeam") && l.rule(policy, e)
}

func (l literal) scope(verb string) jsonv.Object { return jsonv.Map(l.entities, verb) }

func (l literal) reads(e jsonv.Object) bool {
	if l.allowed(l.scope("read"), e) {
		return true
	}
	for _, verb := range []string{"register", "update", "unregister"} {
		b := l.scope(verb)
		if l.static(b, "role") || l.static(b, "team") || l.static(b, "user") || verb != "register" && l.owned(b, e) {
			return true
		}
	}
	return false
}

// writes is the field check. After is the entity as it would be, nil when it is
// created.
func (l literal) writes(part, key string, e, after jsonv.Object) bool {
	moves := after != nil && (key == "$team" || part == "relations" && key == l.via) &&
		!jsonv.Equal(e["team"], after["team"])
	field := jsonv.Map(l.entities, "updateProperties", key)
	if part == "relations" {
		field = jsonv.Map(l.entities, "updateRelations", key)
	}
	for _, b := range []jsonv.Object{l.scope("update"), field} {
		if b == nil || !l.allowed(b, e) {
			continue
		}
		byOwner := !l.static(b, "role") && !l.static(b, "team") && !l.static(b, "user") && l.owned(b, e)
		if !moves || !byOwner || l.owned(b, after) {
			return true
		}
	}
	return false
}

// rule knows the rules that [random.rule] makes.
func (l literal) rule(raw any, e jsonv.Object) bool {
	r := jsonv.Map(raw)
	if c := jsonv.String(r, "combinator"); c != "" {
		rules := jsonv.List(r, "rules")
		for _, rule := range rules {
			if l.rule(rule, e) == (c == "or") {
				return c == "or"
			}
		}
		return c == "and" || len(rules) == 0
	}
	property, value := jsonv.String(r, "property"), r["value"]
	switch is, _ := jsonv.Get(e, "properties", property); {
	case property == "" && jsonv.String(r, "property", "context") == "userTeams":
		return common(l.user.Teams, jsonv.Strings(value))
	case property == "":
		return l.user.Email == value
	case property == "$team":
		return common(l.user.Teams, jsonv.Strings(e["team"]))
	case property == "owner":
		return is == l.user.Email
	case property == "open":
		return is == (value == "true")
	case jsonv.String(r, "operator") == "!=":
		return !jsonv.Equal(is, value)
	default:
		return jsonv.Equal(is, value)
	}
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

type random struct{ *rand.Rand }

func (r random) some(from ...string) []any {
	out := []any{}
	for _, s := range from {
		if r.IntN(3) == 0 {
			out = append(out, s)
		}
	}
	return out
}

func one[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

func (r random) rule(depth int) any {
	if depth > 0 && r.IntN(3) == 0 {
		group := jsonv.Object{"combinator": one(r, "and", "or"), "rules": []any{}}
		for range r.IntN(3) {
			group["rules"] = append(jsonv.List(group, "rules"), r.rule(depth-1))
		}
		return group
	}
	return one[any](r,
		jsonv.Object{"property": "lang", "operator": one(r, "=", "!="), "value": one[any](r, "go", "c", nil)},
		jsonv.Object{"property": "open", "operator": "=", "value": one(r, "true", "false")},
		jsonv.Object{"property": "owner", "operator": "=", "value": jsonv.Object{"context": "user", "property": "$identifier"}},
		jsonv.Object{"property": jsonv.Object{"context": "userTeams", "property": "$identifier"}, "operator": "containsAny", "value": r.some("t1", "t2")},
		jsonv.Object{"property": jsonv.Object{"context": "user", "property": "$identifier"}, "operator": "=", "value": one(r, "u1@x.io", "u2@x.io")},
		jsonv.Object{"property": "$team", "operator": "containsAny", "value": jsonv.Object{"context": "user", "property": "$team"}},
	)
}

func (r random) block(scope bool) jsonv.Object {
	b := jsonv.Object{"ownedByTeam": r.IntN(3) == 0, "users": []any{}, "teams": []any{}, "roles": r.some("admin")}
	switch r.IntN(6) {
	case 0:
		b["users"] = r.some("U1@x.io", "u2@x.io")
	case 1:
		b["teams"] = r.some("t1", "t2", "t3")
	case 2:
		b["roles"] = r.some("Admin", "Member", "svc-moderator", "SVC-Moderator", "moderator", "pirate")
	}
	if scope {
		b["policy"] = nil
		if r.IntN(3) == 0 {
			b["policy"] = jsonv.Object{"combinator": one(r, "and", "or"), "rules": []any{r.rule(2), r.rule(1)}}
		}
	}
	return b
}

func (r random) document(relations []string) jsonv.Object {
	properties, rels := jsonv.Object{}, jsonv.Object{}
	for _, key := range []string{"$identifier", "$title", "$icon", "$team", "lang", "open", "owner"} {
		properties[key] = r.block(false)
		if key[0] != '$' && r.IntN(2) == 0 {
			properties[key] = nil // taken off
		}
	}
	for _, key := range relations {
		if r.IntN(2) == 0 {
			rels[key] = r.block(false)
		}
	}
	return jsonv.Object{"entities": jsonv.Object{
		"read": r.block(true), "register": r.block(true), "update": r.block(true), "unregister": r.block(true),
		"updateProperties": properties, "updateRelations": rels,
	}}
}

// body is what to write: any part may be missing.
func (r random) body(blueprint string) jsonv.Object {
	properties, relations := jsonv.Object{}, jsonv.Object{}
	out := jsonv.Object{"properties": properties, "relations": relations}
	if r.IntN(2) == 0 {
		properties["lang"] = one[any](r, "go", "c", nil)
	}
	if r.IntN(3) == 0 {
		properties["open"] = one(r, true, false)
	}
	if r.IntN(3) == 0 {
		properties["owner"] = one(r, "u1@x.io", "u2@x.io")
	}
	if r.IntN(4) == 0 {
		out["title"] = one(r, "A", "B")
	}
	if r.IntN(4) == 0 {
		out["icon"] = one(r, "Go", "Java")
	}
	if blueprint != "part" && r.IntN(2) == 0 {
		out["team"] = r.some("t1", "t2", "t3")
	}
	if blueprint == "part" && r.IntN(2) == 0 {
		relations["svc"] = one(r, "s0", "s1", "s2")
	}
	return out
}

// rights is a world in which everybody tries everything.
type rights struct {
	*world
	random
	users []*access.User
}

func newRights(t *testing.T, seed uint64) *rights {
	t.Helper()
	w := &rights{world: newWorld(t), random: random{rand.New(rand.NewPCG(seed, 5))}}
	const properties = `"schema": {"properties": {"lang": {"type": "string"}, "open": {"type": "boolean"}, "owner": {"type": "string"}}, "required": []}`
	w.blueprint(`{"identifier": "svc", "title": "S", ` + properties + `, "ownership": {"type": "Direct"}}`)
	w.blueprint(`{"identifier": "part", "title": "P", ` + properties + `, "relations": {"svc": {"target": "svc", "title": "S", "required": false, "many": false}}, "ownership": {"type": "Inherited", "path": "svc"}}`)
	w.blueprint(`{"identifier": "plain", "title": "L", ` + properties + `}`)
	for _, team := range []string{"t1", "t2", "t3"} {
		w.entity("_team", `{"identifier": "`+team+`"}`)
	}
	w.users = []*access.User{
		w.user("u1@x.io", "Member", `"t1"`),
		w.user("u2@x.io", "Moderator", `"t2", "t3"`),
		w.user("u3@x.io", "Member", ""),
	}
	w.users[1].Moderates = []string{"svc"}
	for i := range 3 {
		w.entity("svc", fmt.Sprintf(`{"identifier": "s%d", "team": %s, "properties": {"lang": "go"}}`, i, jsonv.Encode(w.some("t1", "t2", "t3"))))
	}
	return w
}

// stored is an entity as everybody with all rights reads it, nil when there is none.
func (w *rights) stored(tx store.Tx, blueprint, id string) jsonv.Object {
	e, err := w.catalog.ReadEntity(w.t.Context(), tx, w.actor(), blueprint, id, catalog.ReadOptions{})
	if err != nil {
		return nil
	}
	return e
}

// wanted is what the literal evaluator says of a write: the refused fields, and
// whether it is refused at all. With is laid over or replaces what was.
func (w *rights) wanted(tx store.Tx, l literal, blueprint string, was, body jsonv.Object, replace bool) (properties, relations []string, refused bool) {
	is := jsonv.Object{"identifier": "n", "title": "n", "icon": nil, "team": []any{}, "properties": jsonv.Object{}, "relations": jsonv.Object{}}
	if was != nil {
		is["identifier"], is["title"] = was["identifier"], was["identifier"]
		if !replace {
			is = jsonv.CloneObject(was)
		}
	}
	for _, key := range []string{"title", "icon", "team"} {
		if v, given := body[key]; given {
			is[key] = v
		}
	}
	for _, part := range []string{"properties", "relations"} {
		for key, v := range jsonv.Map(body, part) {
			jsonv.Map(is, part)[key] = v
		}
	}
	if l.via != "" {
		is["team"] = []any{}
		if owner := w.stored(tx, "svc", jsonv.String(is, "relations", l.via)); owner != nil {
			is["team"] = owner["team"]
		}
	}
	subject, after := was, is
	if was == nil {
		subject, after = is, nil
		refused = !l.allowed(l.scope("register"), is)
	}
	unseen, touches := was != nil && !l.reads(was), 0
	check := func(part, key string, before, now any) {
		_, given := body[strings.TrimPrefix(key, "$")]
		if part != "" {
			_, given = jsonv.Get(body, part, key)
		}
		supplied := was == nil && now != nil && !jsonv.Equal(now, []any{})
		changes := was != nil && !jsonv.Equal(before, now)
		if unseen { // what it holds must not tell
			changes = given || replace
		}
		if supplied || changes {
			touches++
			if !l.writes(part, key, subject, after) && part == "relations" {
				relations = append(relations, key)
			} else if !l.writes(part, key, subject, after) {
				properties = append(properties, key)
			}
		}
	}
	check("", "$icon", was["icon"], is["icon"])
	if l.via == "" {
		check("", "$team", was["team"], is["team"])
	}
	if was != nil {
		check("", "$title", was["title"], is["title"])
	}
	for _, key := range []string{"lang", "open", "owner"} {
		before, _ := jsonv.Get(was, "properties", key)
		now, _ := jsonv.Get(is, "properties", key)
		check("properties", key, before, now)
	}
	before, _ := jsonv.Get(was, "relations", "svc")
	now, _ := jsonv.Get(is, "relations", "svc")
	if blueprint == "part" {
		check("relations", "svc", before, now)
	}
	if was != nil && (unseen && touches == 0 || !unseen && jsonv.Equal(comparable(was), comparable(is))) {
		refused = !w.writesAny(l, blueprint, was)
	}
	slices.Sort(properties)
	return properties, relations, refused || len(properties)+len(relations) > 0
}

// comparable is an entity without what a write does not speak of.
func comparable(e jsonv.Object) jsonv.Object {
	out := jsonv.Object{"title": e["title"], "icon": e["icon"], "team": e["team"]}
	for _, part := range []string{"properties", "relations"} {
		for key, v := range jsonv.Map(e, part) {
			if v != nil {
				out[part+key] = v
			}
		}
	}
	return out
}

// writesAny is what a write that changes nothing takes.
func (w *rights) writesAny(l literal, blueprint string, e jsonv.Object) bool {
	for _, key := range []string{"$identifier", "$title", "$icon", "$team", "lang", "open", "owner"} {
		if l.writes("", key, e, nil) {
			return true
		}
	}
	return blueprint == "part" && l.writes("relations", "svc", e, nil)
}

// try does one random thing and compares.
func (w *rights) try(step int) {
	blueprint := one(w.random, "svc", "part", "plain")
	user := one(w.random, w.users...)
	err := w.store.Update(w.t.Context(), func(tx store.Tx) error {
		permissions, err := w.access.ReadBlueprint(tx, w.actor(), blueprint)
		if err != nil {
			return err
		}
		l := literal{user: user, entities: jsonv.Map(permissions, "entities"), owns: blueprint != "plain"}
		if blueprint == "part" {
			l.via = "svc"
		}
		actor := catalog.Actor{Org: org, ID: user.ID, User: user.Email, Rights: w.access.Rights(org, user)}
		for i := range 4 {
			id := fmt.Sprint(blueprint[:1], i)
			e, is := w.stored(tx, blueprint, id), w.mine(tx, actor, blueprint, id)
			if e != nil && (is != nil) != l.reads(e) {
				return fmt.Errorf("step %d: %s reads %s: %t, want %t\n%s\n%s", step, user.Email, id, is != nil, l.reads(e), jsonv.Encode(e), jsonv.Encode(permissions))
			}
		}
		id := fmt.Sprint(blueprint[:1], w.IntN(4))
		was, body := w.stored(tx, blueprint, id), w.body(blueprint)
		if w.stored(tx, "svc", jsonv.String(body, "relations", "svc")) == nil {
			delete(jsonv.Map(body, "relations"), "svc")
		}
		do := one(w.random, "create", "patch", "put", "delete")
		if was == nil {
			do = "create"
		}
		var got error
		var properties, relations []string
		refused := false
		switch do {
		case "create":
			body["identifier"] = id
			if was == nil || w.IntN(2) == 0 {
				properties, relations, refused = w.wanted(tx, l, blueprint, was, body, true)
				_, _, got = w.catalog.CreateEntity(w.t.Context(), tx, actor, blueprint, body, catalog.WriteOptions{Upsert: true})
			} else {
				properties, relations, refused = w.wanted(tx, l, blueprint, was, body, false)
				_, _, got = w.catalog.CreateEntity(w.t.Context(), tx, actor, blueprint, body, catalog.WriteOptions{Upsert: true, Merge: true})
			}
		case "patch":
			properties, relations, refused = w.wanted(tx, l, blueprint, was, body, false)
			_, got = w.catalog.PatchEntity(w.t.Context(), tx, actor, blueprint, id, body, catalog.WriteOptions{})
		case "put":
			properties, relations, refused = w.wanted(tx, l, blueprint, was, body, true)
			_, got = w.catalog.PutEntity(w.t.Context(), tx, actor, blueprint, id, body, catalog.WriteOptions{})
		case "delete":
			refused = !l.allowed(l.scope("unregister"), was)
			got = w.catalog.DeleteEntity(w.t.Context(), tx, actor, blueprint, id, catalog.DeleteOptions{})
		}
		want, is := "done", "done"
		if refused {
			want = fmt.Sprintf("refused %q %q", properties, relations)
		}
		var f *fault.Fault
		if errors.As(got, &f) && f.Code == "missing_permissions" {
			is = fmt.Sprintf("refused %q %q", jsonv.Strings(f.Details["properties"]), jsonv.Strings(f.Details["relations"]))
		} else if got != nil {
			return got
		}
		if diff := cmp.Diff(want, is); diff != "" {
			return fmt.Errorf("step %d: %s does %s %s (-want +got)\n%s\nwas %s\nbody %s\n%s", step, user.Email, do, id, diff,
				jsonv.Encode(was), jsonv.Encode(body), jsonv.Encode(permissions))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *rights) mine(tx store.Tx, actor catalog.Actor, blueprint, id string) jsonv.Object {
	e, err := w.catalog.ReadEntity(w.t.Context(), tx, actor, blueprint, id, catalog.ReadOptions{})
	var f *fault.Fault
	if err != nil && (!errors.As(err, &f) || f.Code != "not_found") {
		w.t.Fatal(err)
	}
	return e
}

// Whatever the documents say, callers may do what a literal reading of the
// reference allows them, and nothing else.
// rows: id §7.5 1-5
func TestRandomWritesUnderRandomPermissionsAgreeWithALiteralEvaluator(t *testing.T) {
	t.Parallel()
	documents, seeds := 60, uint64(2)
	if os.Getenv("PORT_LONG") != "" {
		documents, seeds = 600, 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newRights(t, seed)
			for step := range documents * 12 {
				if step%12 == 0 {
					for _, blueprint := range []string{"svc", "plain", "part"} {
						relations := map[string][]string{"part": {"svc"}}[blueprint]
						w.update(func(tx store.Tx) error {
							_, err := w.access.PatchBlueprint(tx, w.actor(), blueprint, w.document(relations))
							return err
						})
					}
				}
				w.try(step)
			}
		})
	}
}
