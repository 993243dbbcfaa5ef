package portapi

import (
	"context"
	"maps"
	"net/http"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

const (
	// findBytes bounds the identifiers of one search, well below the 1 MiB a
	// request may have.
	findBytes = 256 << 10
	// findWorkers is how many searches run at a time.
	findWorkers = 4
)

// FindEntities returns those of some entities of a blueprint that exist, by
// identifier, with up to 1,000 in a request; nil identifiers stand for all
// entities. Unlike [Client.ReadEntity] it may hand out values that the server
// computes where the server does not know how to leave them out of a search:
// [Client.WithoutCalculated] takes them away. Nothing is cached.
func (c *Client) FindEntities(ctx context.Context, blueprint string, identifiers []string) (map[string]jsonv.Object, error) {
	ctx = withLog(ctx, c)
	if identifiers == nil {
		return c.findAll(ctx, blueprint)
	}
	found, err := c.findThese(ctx, blueprint, identifiers)
	if f, ok := AsFault(err); ok && (f.Status == http.StatusUnprocessableEntity || f.Status == http.StatusRequestEntityTooLarge || f.Status == http.StatusBadRequest) {
		// A server that does not take long lists of identifiers gives pages.
		all, err := c.findAll(ctx, blueprint)
		if err != nil {
			return nil, err
		}
		found = byID{}
		for _, id := range identifiers {
			if e, ok := all[id]; ok {
				found[id] = e
			}
		}
		return found, nil
	}
	return found, err
}

// findThese searches by identifiers, some thousands at a time.
func (c *Client) findThese(ctx context.Context, blueprint string, identifiers []string) (byID, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	found := make(byID, len(identifiers))
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, findWorkers)
	for _, ids := range portions(identifiers) {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			page, _, err := c.find(ctx, blueprint, jsonv.Object{
				"query": jsonv.Object{"combinator": "and", "rules": []any{
					jsonv.Object{"property": "$identifier", "operator": "in", "value": anys(ids)},
				}},
				"limit": jsonInt(len(ids)),
			})
			if err != nil {
				stop(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(found, page)
		})
	}
	wait.Wait()
	return found, context.Cause(ctx)
}

// portions cuts identifiers into what one search takes.
func portions(identifiers []string) [][]string {
	var out [][]string
	start, size := 0, 0
	for i, id := range identifiers {
		if i > start && (i-start >= pageSize || size+len(id) > findBytes) {
			out = append(out, identifiers[start:i])
			start, size = i, 0
		}
		size += len(id)
	}
	if start < len(identifiers) {
		out = append(out, identifiers[start:])
	}
	return out
}

func (c *Client) findAll(ctx context.Context, blueprint string) (byID, error) {
	all := byID{}
	body := jsonv.Object{"limit": jsonInt(pageSize)}
	for {
		page, next, err := c.find(ctx, blueprint, body)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, page)
		if next == "" || next == body["from"] {
			return all, nil
		}
		body = jsonv.Object{"limit": jsonInt(pageSize), "from": next}
	}
}

// CountEntities asks how many entities a blueprint has, by the route of
// reference/catalog.md §4.14.
func (c *Client) CountEntities(ctx context.Context, blueprint string) (int, error) {
	return c.reads.count(withLog(ctx, c), blueprint, &shelf{count: -1})
}

// find runs one search and returns its page and where the next begins.
func (c *Client) find(ctx context.Context, blueprint string, body jsonv.Object) (byID, string, error) {
	answer, err := c.send(ctx, Op{
		Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities", "search"},
		Query: withoutCalculated(), Body: body,
	})
	if err != nil {
		return nil, "", err
	}
	return pageOf(blueprint, answer)
}

// WithoutCalculated takes the values that the blueprint computes out of entities.
func (c *Client) WithoutCalculated(ctx context.Context, blueprint string, entities map[string]jsonv.Object) error {
	definition, err := c.ReadBlueprint(ctx, blueprint)
	if err != nil {
		return err
	}
	for _, e := range entities {
		stripCalculated(e, definition)
	}
	return nil
}
