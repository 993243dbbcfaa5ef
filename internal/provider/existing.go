package provider

import (
	"context"
	"net/http"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// Looking for entities that a create would adopt must cost next to nothing when
// thousands are created: the first few are read one by one, then the
// identifiers of the whole blueprint are fetched once, and a blueprint too large
// for that is given up on.
const (
	peekSingly  = 5
	peekAtMost  = 50
	peekEntries = 5000
	peekPage    = 1000
)

// catalogue is what one run has found out about a blueprint while planning.
type catalogue struct {
	mu        sync.Mutex
	asked     bool
	blueprint jsonv.Object // nil when it does not exist or could not be read
	missing   bool         // Port said that it does not exist
	structure jsonv.Object // of a system blueprint; nil while not asked for

	peeks   int
	tried   bool
	present map[string]bool // nil while not fetched
}

func (s *session) catalogue(blueprint string) *catalogue {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.known[blueprint]
	if c == nil {
		c = &catalogue{}
		s.known[blueprint] = c
	}
	return c
}

// plannedBlueprint is the blueprint as it was when planning began, nil when
// there is none yet. It is asked for once, also when the answer is no.
func (s *session) plannedBlueprint(ctx context.Context, id string) jsonv.Object {
	c := s.catalogue(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ask(ctx, s, id)
	return c.blueprint
}

// lacksBlueprint reports whether Port said that there is no such blueprint; not
// to know is no.
func (s *session) lacksBlueprint(ctx context.Context, id string) bool {
	c := s.catalogue(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ask(ctx, s, id)
	return c.missing
}

func (c *catalogue) ask(ctx context.Context, s *session, id string) {
	if c.asked {
		return
	}
	b, err := s.api.ReadBlueprint(ctx, id)
	if err != nil {
		c.missing = portapi.IsNotFound(err)
		c.asked = ctx.Err() == nil
		return
	}
	c.blueprint, c.asked = b, true
}

// peekEntity returns the entity under a key as far as that can be known cheaply.
func peekEntity(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	blueprint := s.plannedBlueprint(ctx, key[0])
	if blueprint == nil {
		return nil, nil
	}
	look, err := s.catalogue(key[0]).worthReading(ctx, s, key)
	if err != nil || !look {
		return nil, err
	}
	entity, err := s.api.ReadEntity(ctx, key[0], key[1])
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return ownTeams(blueprint, entity), nil
}

func (c *catalogue) worthReading(ctx context.Context, s *session, key []string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peeks++; c.present == nil && c.peeks > peekSingly && !c.tried {
		c.tried = true
		if err := c.fetch(ctx, s, key[0]); err != nil {
			return false, err
		}
	}
	if c.present != nil {
		return c.present[key[1]], nil
	}
	return c.peeks <= peekAtMost, nil
}

// fetch lists the blueprint's identifiers when they are few enough.
func (c *catalogue) fetch(ctx context.Context, s *session, blueprint string) error {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"blueprints", blueprint, "entities-count"}})
	if err != nil {
		return err
	}
	count, _ := answer["count"].(interface{ Int64() (int64, error) })
	if count == nil {
		return nil
	}
	n, err := count.Int64()
	if err != nil || n > peekEntries {
		return nil //nolint:nilerr // a count that is no integer is no count
	}
	present := map[string]bool{}
	body := jsonv.Object{"limit": jsonv.Int(peekPage), "include": []any{"$identifier"}}
	for n > 0 {
		page, err := s.api.Call(ctx, portapi.Op{Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities", "search"}, Body: body})
		if err != nil {
			return err
		}
		for _, e := range jsonv.List(page, "entities") {
			present[jsonv.String(e, "identifier")] = true
		}
		next := jsonv.String(page, "next")
		if next == "" {
			break
		}
		body["from"] = next
	}
	c.present = present
	return nil
}

// peekBlueprint looks a blueprint up for the adoption warning.
func peekBlueprint(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	return s.plannedBlueprint(ctx, key[0]), nil
}

// present are the names of the objects of a kind that there were when a run began
// to make many, for kinds that have a list of all of them.
type present struct {
	mu    sync.Mutex
	peeks int
	tried bool
	names map[string]bool // nil while not fetched
}

// mayHold reports whether it is worth to ask for an object by its name, which its
// document has under a key.
func (p *present) mayHold(ctx context.Context, name, key string, list func(context.Context) ([]jsonv.Object, error)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.peeks++; p.peeks > peekSingly && !p.tried {
		all, err := list(ctx)
		p.tried = ctx.Err() == nil
		if err == nil {
			p.names = map[string]bool{}
			for _, o := range all {
				p.names[jsonv.String(o, key)] = true
			}
		}
	}
	return p.names == nil || p.names[name]
}
