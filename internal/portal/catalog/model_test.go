package catalog_test

import (
	"fmt"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// model is the catalog as a reader of the reference would keep it on paper: two
// blueprints, p and c. c.must is a required relation to p, c.may one to c, c.set a
// many relation to p. p has the properties num and s (with a default), c the
// required property num; c mirrors must.num as up and set.num as ups. Entities of
// p are owned directly, those of c by the owners of what they must have.
// Everything is looked up by going through everything.
type model struct {
	entities map[string]map[string]*modelEntity
	// num is how p's number is called now, hasText whether p has s, mayMany
	// whether c.may is many.
	num     string
	hasText bool
	mayMany bool
	step    int
}

// modelEntity holds what was written; an absent key was never written.
type modelEntity struct {
	id, title string
	born      int
	team      []string
	props     jsonv.Object
	rels      jsonv.Object
}

func newModel() *model {
	return &model{entities: map[string]map[string]*modelEntity{"p": {}, "c": {}}, num: "num", hasText: true}
}

func (m *model) has(bp, id string) bool { return m.entities[bp][id] != nil }

// modelWrite is one write of an entity and how it is made.
type modelWrite struct {
	bp, id string
	body   jsonv.Object
	// post creates, or with upsert overrides; put overrides; neither merges.
	post, upsert, put bool
	merge             bool
	createMissing     bool
}

// write applies w and returns "" or the code of its refusal.
func (m *model) write(w modelWrite) string {
	id := w.id
	if given := jsonv.String(w.body, "identifier"); given != "" {
		id = given
	}
	old := m.entities[w.bp][w.id]
	if w.post {
		old = m.entities[w.bp][id]
	} else if old == nil {
		return "not_found"
	}
	merging := old != nil && (w.merge && w.upsert || !w.post && !w.put)
	fresh := old == nil || w.post && !w.upsert
	next := &modelEntity{id: id, title: id, born: m.step, props: jsonv.Object{}, rels: jsonv.Object{}}
	if !fresh {
		next.born = old.born
	}
	if merging {
		next.title, next.team, next.props, next.rels = old.title, old.team, jsonv.CloneObject(old.props), jsonv.CloneObject(old.rels)
	}
	if code := m.properties(w, next, fresh, merging); code != "" {
		return code
	}
	missing, code := m.relations(w, next, merging)
	if code != "" {
		return code
	}
	if w.post && !w.upsert && old != nil || !w.post && id != w.id && m.has(w.bp, id) {
		return "identifier_taken"
	}
	if title, ok := w.body["title"].(string); ok {
		next.title = title
	}
	if team, ok := w.body["team"]; ok && w.bp == "p" {
		next.team = jsonv.Strings(team)
	}
	for _, target := range missing {
		m.bare(target[0], target[1])
	}
	if !w.post && id != w.id {
		m.rename(w.bp, w.id, id)
		m.follow(next.rels, w.bp, w.bp, w.id, id)
	}
	m.entities[w.bp][id] = next
	return ""
}

func (m *model) properties(w modelWrite, next *modelEntity, fresh, merging bool) string {
	given := jsonv.Map(w.body, "properties")
	for key, value := range given {
		if w.bp == "c" && (key == "up" || key == "ups") {
			continue // computed: ignored
		}
		text := w.bp == "p" && m.hasText && key == "s"
		_, isText := value.(string)
		if key != m.number(w.bp) && !text || value != nil && isText != text {
			return "blueprint_schema_mismatch"
		}
		next.props[key] = value
	}
	if _, set := next.props["s"]; w.bp == "p" && m.hasText && fresh && !set {
		next.props["s"] = "d"
	}
	_, touches := w.body["properties"]
	_, relates := w.body["relations"]
	if w.bp == "c" && next.props["num"] == nil && (!merging || touches || relates) {
		return "blueprint_schema_mismatch"
	}
	return ""
}

func (m *model) number(bp string) string {
	if bp == "p" {
		return m.num
	}
	return "num"
}

// relations merges the given relations and lists the targets that are missing.
func (m *model) relations(w modelWrite, next *modelEntity, merging bool) (missing [][2]string, code string) {
	given := jsonv.Map(w.body, "relations")
	if w.bp == "c" && !merging && given["must"] == nil {
		return nil, "required_relation"
	}
	if value, set := given["must"]; merging && w.bp == "c" && set && value == nil {
		return nil, "required_relation"
	}
	for key, value := range given {
		target, many := m.target(w.bp, key)
		if target == "" {
			return nil, "not_found"
		}
		_, list := value.([]any)
		if value != nil && list != many {
			return nil, "relation_many_violation"
		}
		if value == nil && many {
			value = []any{}
		}
		var ids []any
		for _, id := range identifiers(value) {
			if !m.has(target, id) && (target != w.bp || id != next.id && (w.post || id != w.id)) {
				missing = append(missing, [2]string{target, id})
			}
			if !slices.Contains(ids, any(id)) {
				ids = append(ids, id)
			}
		}
		if many {
			value = append([]any{}, ids...)
		}
		next.rels[key] = value
	}
	if len(missing) > 0 && !w.createMissing {
		return nil, "not_found"
	}
	return missing, ""
}

func (m *model) target(bp, relation string) (target string, many bool) {
	switch {
	case bp == "c" && relation == "must":
		return "p", false
	case bp == "c" && relation == "may":
		return "c", m.mayMany
	case bp == "c" && relation == "set":
		return "p", true
	}
	return "", false
}

// bare makes an entity that something relates to.
func (m *model) bare(bp, id string) {
	if m.has(bp, id) {
		return
	}
	e := &modelEntity{id: id, title: id, born: m.step, props: jsonv.Object{}, rels: jsonv.Object{}}
	if bp == "p" && m.hasText {
		e.props["s"] = "d"
	}
	m.entities[bp][id] = e
}

func identifiers(value any) []string {
	if id, ok := value.(string); ok {
		return []string{id}
	}
	return jsonv.Strings(value)
}

// rename makes every relation follow an entity to its new identifier.
func (m *model) rename(bp, was, is string) {
	m.entities[bp][is] = m.entities[bp][was]
	delete(m.entities[bp], was)
	for _, e := range m.entities["c"] {
		m.follow(e.rels, "c", bp, was, is)
	}
}

func (m *model) follow(rels jsonv.Object, of, bp, was, is string) {
	for key, value := range rels {
		if target, _ := m.target(of, key); target == bp {
			rels[key] = replaced(value, was, is)
		}
	}
}

func replaced(value any, was, is string) any {
	if value == any(was) {
		return is
	}
	list, ok := value.([]any)
	if !ok {
		return value
	}
	out := []any{}
	for _, id := range list {
		if id == any(was) {
			id = is
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// remove deletes an entity, and with dependents those that must have it.
func (m *model) remove(bp, id string, dependents bool) string {
	if !m.has(bp, id) {
		return "not_found"
	}
	for child, e := range m.entities["c"] {
		if bp == "p" && e.rels["must"] == any(id) {
			if !dependents {
				return "has_dependents"
			}
			m.drop("c", child)
		}
	}
	m.drop(bp, id)
	return ""
}

// drop deletes an entity and empties the relations that hold it.
func (m *model) drop(bp, id string) {
	delete(m.entities[bp], id)
	for _, e := range m.entities["c"] {
		for key, value := range e.rels {
			if target, _ := m.target("c", key); target != bp {
				continue
			}
			if list, ok := value.([]any); ok {
				e.rels[key] = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return v == any(id) })
			} else if value == any(id) {
				e.rels[key] = nil
			}
		}
	}
}

// turnMay makes c.may a many relation or a single one.
func (m *model) turnMay(many bool) string {
	for _, e := range m.entities["c"] {
		if list, ok := e.rels["may"].([]any); ok && !many && len(list) > 1 {
			return "relation_many_violation"
		}
	}
	if m.mayMany == many {
		return ""
	}
	m.mayMany = many
	for _, e := range m.entities["c"] {
		value, ok := e.rels["may"]
		if !ok {
			continue
		}
		ids := identifiers(value)
		switch {
		case many:
			e.rels["may"] = jsonv.FromStrings(ids)
		case len(ids) == 1:
			e.rels["may"] = ids[0]
		default:
			e.rels["may"] = nil
		}
	}
	return ""
}

// renameNumber renames p's number.
func (m *model) renameNumber(to string) {
	for _, e := range m.entities["p"] {
		if value, ok := e.props[m.num]; ok {
			delete(e.props, m.num)
			e.props[to] = value
		}
	}
	m.num = to
}

// turnText drops p's text property or brings it back.
func (m *model) turnText(on bool) {
	m.hasText = on
	for _, e := range m.entities["p"] {
		if !on {
			delete(e.props, "s")
		}
	}
}

// text is the entity as it must read.
func (m *model) text(bp string, e *modelEntity) string {
	props, team := jsonv.CloneObject(e.props), e.team
	if bp == "c" {
		team = nil
		props["up"], props["ups"] = nil, []any{}
		if p := m.entities["p"][jsonv.String(e.rels, "must")]; p != nil {
			props["up"], team = p.props[m.num], p.team
		}
		var ups []any
		for _, id := range jsonv.Strings(e.rels["set"]) {
			if n := m.entities["p"][id].props[m.num]; n != nil {
				ups = append(ups, n)
			}
		}
		props["ups"] = append([]any{}, ups...)
	}
	return fmt.Sprintf("%s %q %v %s %s", e.id, e.title, team, jsonv.Encode(props), jsonv.Encode(e.rels))
}

// list is a blueprint's entities in the order they were made.
func (m *model) list(bp string) []*modelEntity {
	var all []*modelEntity
	for _, e := range m.entities[bp] {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *modelEntity) int {
		if a.born != b.born {
			return a.born - b.born
		}
		return slices.Compare([]byte(a.id), []byte(b.id))
	})
	return all
}
