// Package query is the search language of the catalog (reference/catalog.md §5):
// it parses rules into a typed tree and decides whether an entity matches. It
// does not read entities: values come through [Entity], relations through
// [Graph], the caller through [Caller], all given by whoever owns the data.
package query

import (
	"iter"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Scope says which of the published schemas a query must fit.
type Scope int

const (
	// CatalogWide is the query of POST /v1/entities/search (§5.1).
	CatalogWide Scope = iota
	// OneBlueprint is the query of POST /v1/blueprints/{bp}/entities/search
	// (§5.2), which also knows relation values and scorecards.
	OneBlueprint
	// Selector is the small grammar by which a request body names its target
	// (§4.7).
	Selector
	// IdentifierSelector is Selector where it stands for an identifier: only =
	// and in.
	IdentifierSelector
)

// Options steer [Parse].
type Options struct {
	Scope Scope
	// TextBooleans lets a "true" or "false" in a rule also mean the boolean, as the
	// policies of permissions do (reference/identity.md §7.6).
	TextBooleans bool
	// At is where the query stands in the request body; problems are reported
	// with pointers below it.
	At []string
}

// Query is a parsed query. It is immutable and may be shared.
type Query struct{ root node }

// Parse reads a query object. The error is a 422 invalid_request fault that
// names every part that does not fit.
func Parse(raw any, o Options) (*Query, error) { return parse(raw, o) }

// All matches every entity.
func All() *Query { return &Query{root: &group{}} }

// Among is the query that q is of entities with one of the identifiers.
func (q *Query) Among(identifiers []string) *Query {
	one := &propertyRule{property: "$identifier", op: "in"}
	one.value.fixed = want(jsonv.FromStrings(identifiers))
	return &Query{root: &group{rules: []node{one, q.root}}}
}

// OwnedBy matches the entities that one of the teams owns, by identifier.
func OwnedBy(teams []string) *Query {
	r := &propertyRule{property: "$team", op: "containsAny"}
	r.value.fixed = want(jsonv.FromStrings(teams))
	return &Query{root: r}
}

// Any matches what at least one of the queries does, and nothing without queries.
func Any(queries ...*Query) *Query {
	g := &group{or: true, not: len(queries) == 0}
	for _, q := range queries {
		g.rules = append(g.rules, q.root)
	}
	return &Query{root: g}
}

// Match decides whether e fulfils the query. One env serves all entities of one
// request: it remembers what does not depend on the entity.
func (q *Query) Match(env *Env, e Entity) bool { return q.root.match(env, e) }

// Names yields the property, relation and meta names the query looks at, so that
// the owner of the data can leave out what is costly to compute. The second
// value is true when the query may look at any property (a propertySchema rule).
func (q *Query) Names() (names []string, every bool) {
	seen := map[string]bool{}
	q.root.names(func(name string) {
		switch {
		case name == "":
			every = true
		case !seen[name]:
			seen[name] = true
			names = append(names, name)
		}
	})
	return names, every
}

// Field is what a blueprint says about a name.
type Field struct {
	// Type and Format are those of a property or calculation; for a mirror
	// property those of what it mirrors, as far as known.
	Type, Format string
	// ItemType and ItemFormat are those of the items of an array.
	ItemType, ItemFormat string
	// Relation is set for relation keys.
	Relation bool
}

// Node names an entity.
type Node struct{ Blueprint, Identifier string }

// Entity is one candidate. Meta names ($identifier, $title, $icon, $team,
// $blueprint, $createdAt, $updatedAt, $createdBy, $updatedBy, $datasource) are
// answered by Value like any other; $team is an array.
type Entity interface {
	Node() Node
	// Value returns the JSON value of a property, relation or meta name: for
	// relations identifiers. Null, never written and unknown are all nil.
	Value(name string) any
	// Related returns what a relation holds, also where a property has the same
	// key: nil, an identifier, or a list of them.
	Related(relation string) any
	// Field describes a property or relation; the zero Field when unknown.
	Field(name string) Field
	// Own yields the properties of the blueprint's own schema.
	Own() iter.Seq2[string, Field]
	// Scorecard returns the outcome of a scorecard, false when the blueprint
	// has none of that name or the entity does not take part in it.
	Scorecard(identifier string) (Scorecard, bool)
}

// Scorecard is the outcome of a scorecard for one entity.
type Scorecard struct {
	Level string
	Rules []ScorecardRule
}

// ScorecardRule is the outcome of one rule: Status is SUCCESS or FAILURE, Level
// the level the rule belongs to.
type ScorecardRule struct{ Identifier, Status, Level string }

// Edge is a relation between two entities, seen from one of them: Other is the
// far end.
type Edge struct {
	Relation string
	Required bool
	Other    Node
}

// Graph walks relations.
type Graph interface {
	// Follow returns where a relation of n leads, in order. "$team" leads to the
	// owning teams. A relation that n's blueprint does not have leads nowhere.
	Follow(n Node, relation string) []Node
	// Edges lists the relations that leave n (forward) or arrive at it.
	Edges(n Node, forward bool) []Edge
	// Title returns the title of an entity, nil when it has none.
	Title(n Node) any
}

// Caller is who asks, for contextual values (§5.8). Machine credentials have no
// caller: leave [Env.Caller] nil.
type Caller interface {
	// User returns a property of the caller's _user entity.
	User(name string) any
	// UserTeams returns that property of each _team entity of the caller.
	UserTeams(name string) []any
	// Teams returns the identifiers of the caller's teams.
	Teams() []string
}

// Env is what a query is evaluated against, made for one request and used by one
// goroutine.
type Env struct {
	Now time.Time
	// Location is the time zone of presets such as today; nil is UTC.
	Location *time.Location
	Graph    Graph
	Caller   Caller

	memo map[any]any
}
