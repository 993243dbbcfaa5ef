package query

import "slices"

// relatedRule is relatedTo (§5.6): the candidate is reached from the source
// entities along relations in one direction.
type relatedRule struct {
	blueprint string
	sources   []string
	upstream  bool
	down      bool
	required  *bool
}

func (r *relatedRule) match(env *Env, e Entity) bool {
	if env.Graph == nil {
		return false
	}
	return r.reached(env).all[e.Node()]
}

func (r *relatedRule) reached(env *Env) *nodes {
	return memo(env, r, func() *nodes { return newNodes(r.reach(env.Graph)) })
}

// nodes are the entities that a rule leads to, whatever the candidate.
type nodes struct {
	all         map[Node]bool
	byBlueprint map[string][]string
}

func newNodes(all map[Node]bool) *nodes {
	n := &nodes{all: all, byBlueprint: map[string][]string{}}
	for node := range all {
		n.byBlueprint[node.Blueprint] = append(n.byBlueprint[node.Blueprint], node.Identifier)
	}
	return n
}

// reach walks both directions apart, so that chains never turn around. Sources
// are part of the result only when a cycle leads back to them.
func (r *relatedRule) reach(g Graph) map[Node]bool {
	reached := map[Node]bool{}
	for _, forward := range []bool{true, false} {
		if forward && !r.upstream || !forward && !r.down {
			continue
		}
		seen := map[Node]bool{}
		var queue []Node
		for _, id := range r.sources {
			queue = append(queue, Node{r.blueprint, id})
		}
		for len(queue) > 0 {
			n := queue[0]
			queue = queue[1:]
			for _, edge := range g.Edges(n, forward) {
				if r.required != nil && *r.required != edge.Required || seen[edge.Other] {
					continue
				}
				seen[edge.Other] = true
				reached[edge.Other] = true
				queue = append(queue, edge.Other)
			}
		}
	}
	return reached
}

func (*relatedRule) names(func(string)) {}

// hop is one element of a path; repeat is 0 for a plain one.
type hop struct {
	relation string
	repeat   int
}

// pathRule is matchAny along relations (§5.7).
type pathRule struct {
	hops  []hop
	from  string // blueprint to start from, "" for the candidate
	value side
}

func (r *pathRule) match(env *Env, e Entity) bool {
	if env.Graph == nil {
		return false
	}
	if r.from != "" {
		return r.reached(env).all[e.Node()]
	}
	ids := r.wanted(env)
	if len(ids) == 0 {
		return false
	}
	for end := range r.follow(env.Graph, []Node{e.Node()}) {
		if ids[end.Identifier] {
			return true
		}
	}
	return false
}

// reached is where the path leads from the named entities (H3).
func (r *pathRule) reached(env *Env) *nodes {
	return memo(env, r, func() *nodes {
		var start []Node
		for id := range r.wanted(env) {
			start = append(start, Node{r.from, id})
		}
		return newNodes(r.follow(env.Graph, start))
	})
}

func (r *pathRule) wanted(env *Env) map[string]bool {
	return memo(env, &r.value, func() map[string]bool { return r.identifiers(env) })
}

func (r *pathRule) identifiers(env *Env) map[string]bool {
	w := r.value.fixed
	if r.value.ref != nil {
		w = want(r.value.ref.resolve(env))
	}
	ids := map[string]bool{}
	for _, e := range w.elements() {
		if id, ok := e.raw.(string); ok {
			ids[id] = true
		}
	}
	return ids
}

// follow returns every end of the path. A repeated hop ends after each of its
// repetitions; behind fixed hops it may also be left out (H4, H5).
func (r *pathRule) follow(g Graph, start []Node) map[Node]bool {
	here := set(start)
	for i, h := range r.hops {
		if h.repeat == 0 {
			here = step(g, here, h.relation)
			continue
		}
		all := map[Node]bool{}
		if i > 0 {
			addAll(all, here)
		}
		front := here
		for range h.repeat {
			front = step(g, front, h.relation)
			before := len(all)
			addAll(all, front)
			if len(front) == 0 || len(all) == before && i > 0 {
				break
			}
		}
		here = all
	}
	return here
}

func step(g Graph, from map[Node]bool, relation string) map[Node]bool {
	to := map[Node]bool{}
	for n := range from {
		for _, end := range g.Follow(n, relation) {
			to[end] = true
		}
	}
	return to
}

func set(nodes []Node) map[Node]bool {
	s := make(map[Node]bool, len(nodes))
	for _, n := range nodes {
		s[n] = true
	}
	return s
}

func addAll(to, from map[Node]bool) {
	for n := range from {
		to[n] = true
	}
}

func (r *pathRule) names(visit func(string)) {
	if r.from == "" && len(r.hops) > 0 {
		visit(r.hops[0].relation)
	}
}

func contains(list []operator, op operator) bool { return slices.Contains(list, op) }
