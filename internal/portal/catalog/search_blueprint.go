package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const (
	defaultPage = 200
	maxPage     = 1000
	// maxDatasourcePage bounds a page of the datasource search (reference/catalog.md §6.2).
	maxDatasourcePage = 5000
)

// pageRequest is the body of a paged search.
type pageRequest struct {
	scope            string
	query            *query.Query
	include, exclude []string
	limit            int
	after            string
}

// SearchBlueprint is the paged search in one blueprint; it returns the answer's
// parts "entities" and, unless it was the last page, "next" (reference/catalog.md
// §5.2).
func (c *Catalog) SearchBlueprint(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o ReadOptions) (jsonv.Object, error) {
	in, err := readPageRequest(body, blueprint)
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor).reader()
	bp, err := s.needBlueprint(blueprint)
	if err != nil {
		return nil, err
	}
	return s.page(bp, in, o)
}

// page answers one page in list order. It looks no further than one match behind
// the page, to know whether there is another.
func (s *session) page(bp *blueprint, in pageRequest, o ReadOptions) (jsonv.Object, error) {
	p := in.projection(o)
	entities := []any{}
	last, next := "", ""
	err := s.search(bp, in.query, store.Page{After: in.after, Few: in.limit + 1}, func(v *view, row store.Row) (bool, error) {
		if len(entities) == in.limit {
			next = last
			return false, nil
		}
		e, err := s.render(v, p)
		if err != nil {
			return false, err
		}
		entities = append(entities, e)
		if len(entities) == in.limit {
			last = store.Cursor(row)
		}
		return true, nil
	})
	if err != nil {
		return nil, badCursor(err)
	}
	out := jsonv.Object{"entities": entities}
	if next != "" {
		out["next"] = sign(in.scope, next)
	}
	return out, nil
}

// projection is what the body asks to be shown, or else the query parameters (J6).
func (in *pageRequest) projection(o ReadOptions) projection {
	p := o.projection()
	if len(in.include) > 0 {
		p.include = pathsOf(in.include, true)
	}
	if len(in.exclude) > 0 {
		p.exclude = pathsOf(in.exclude, true)
	}
	return p
}

// CountSearch counts the entities of a blueprint that a query matches.
func (c *Catalog) CountSearch(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any) (int, error) {
	in, err := readPageRequest(body, blueprint)
	if err != nil {
		return 0, err
	}
	s := c.begin(ctx, tx, actor).reader()
	bp, err := s.needBlueprint(blueprint)
	if err != nil {
		return 0, err
	}
	return s.count(bp, in.query)
}

func (s *session) count(bp *blueprint, q *query.Query) (n int, err error) {
	err = s.search(bp, q, store.Page{}, func(*view, store.Row) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}

func readPageRequest(body any, blueprint string) (pageRequest, error) {
	r := &reader{}
	in := r.body(body)
	r.closed(in, nil, pageKeys...)
	out := r.page(in, blueprint)
	return out, r.problems.Invalid()
}

var pageKeys = []string{"query", "include", "exclude", "limit", "from"}

// page reads the keys that every paged search has. Scope ties its cursors to it.
func (r *reader) page(in jsonv.Object, scope string) pageRequest {
	out := pageRequest{scope: scope, query: query.All(), limit: defaultPage}
	if raw, ok := in["query"]; ok {
		q, err := query.Parse(raw, query.Options{Scope: query.OneBlueprint, At: []string{"query"}})
		if err != nil {
			r.adopt(err, []string{"query"})
		} else {
			out.query = q
		}
	}
	out.include, out.exclude = r.strings(in, "include"), r.strings(in, "exclude")
	if in["limit"] != nil {
		out.limit = r.whole(in, "limit", maxPage)
	}
	out.after = r.cursor(in, scope)
	return out
}

func (r *reader) strings(in jsonv.Object, key string) []string {
	raw, ok := in[key]
	if !ok {
		return nil
	}
	list, ok := raw.([]any)
	if !ok {
		r.add([]string{key}, "want an array of strings, got %s", jsonv.KindOf(raw))
	}
	for i, e := range list {
		if _, ok := e.(string); !ok {
			r.add([]string{key, string(jsonv.Int(i))}, "want a string, got %s", jsonv.KindOf(e))
		}
	}
	return jsonv.Strings(list)
}

// whole reads an integer of 1 to limit.
func (r *reader) whole(in jsonv.Object, key string, limit int) int {
	n, ok := in[key].(json.Number)
	value, err := strconv.Atoi(string(jsonv.CanonicalNumber(orZero(n))))
	if !ok || err != nil || value < 1 || value > limit {
		r.add([]string{key}, "want an integer from 1 to %d", limit)
		return limit
	}
	return value
}

func orZero(n json.Number) json.Number {
	if n == "" {
		return "0"
	}
	return n
}

// cursor reads "from", the "next" of an earlier answer of the same search.
func (r *reader) cursor(in jsonv.Object, scope string) string {
	raw := in["from"]
	if raw == nil {
		return ""
	}
	text, ok := raw.(string)
	if !ok {
		r.add([]string{"from"}, "want a string, got %s", jsonv.KindOf(raw))
		return ""
	}
	_, cursor, _ := strings.Cut(text, ".")
	if cursor == "" || text != sign(scope, cursor) {
		r.add([]string{"from"}, "is not the next of an earlier answer")
		return ""
	}
	return cursor
}

// sign ties a cursor to the search that issued it, so that one of another search,
// or one that was cut or changed on its way, is refused rather than taken for
// another place. It keeps nobody from making one up: that would show nothing that a
// search without a cursor does not.
func sign(scope, cursor string) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + cursor))
	return hex.EncodeToString(sum[:8]) + "." + cursor
}

// badCursor turns a store's complaint about a cursor into the caller's error.
func badCursor(err error) error {
	if errors.Is(err, store.ErrCursor) {
		return invalid("/from", "is not the next of an earlier answer")
	}
	return err
}

// datasourceScope marks the cursors of the datasource search; no blueprint has
// such an identifier.
const datasourceScope = "$datasource"

// DatasourceEntities finds entities by the beginning and end of their last
// writer's User-Agent; it returns the answer's parts "entities" and "next"
// (reference/catalog.md §4.14).
func (c *Catalog) DatasourceEntities(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	r := &reader{}
	in := r.body(body)
	prefix, _ := r.text(in, "datasource_prefix", 0)
	suffix, _ := r.text(in, "datasource_suffix", 0)
	limit := 0
	if in["limit"] != nil {
		limit = r.whole(in, "limit", maxDatasourcePage)
	}
	before, bounded := r.before(in)
	after := r.cursor(in, datasourceScope)
	if err := r.problems.Invalid(); err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor).reader()
	where := indexed{match: func(d store.Doc) bool {
		source := jsonv.String(d, datasourceKey)
		if source == "" || !strings.HasPrefix(source, prefix) || !strings.HasSuffix(source, suffix) {
			return false
		}
		at, err := time.Parse(time.RFC3339, jsonv.String(d, "updatedAt"))
		return !bounded || err == nil && at.Before(before)
	}}
	entities, last := []any{}, ""
	var next any
	for row, err := range tx.Scan(KindEntity, where, store.Page{After: after}, actor.Org) {
		if err != nil {
			return nil, badCursor(err)
		}
		if limit > 0 && len(entities) == limit {
			next = sign(datasourceScope, last)
			break
		}
		bp, err := s.blueprint(jsonv.String(row.Doc, "blueprint"))
		if err != nil {
			return nil, err
		}
		if bp == nil {
			continue
		}
		v := s.viewOf(bp, row.Doc)
		if readable, err := s.readable(v); err != nil {
			return nil, err
		} else if !readable {
			continue
		}
		e, err := s.render(v, projection{noCalculated: true})
		if err != nil {
			return nil, err
		}
		entities = append(entities, e)
		if len(entities) == limit {
			last = store.Cursor(row)
		}
	}
	return jsonv.Object{"entities": entities, "next": next}, nil
}

// before reads an optional timestamp: RFC 3339 text.
func (r *reader) before(in jsonv.Object) (time.Time, bool) {
	text, ok := r.text(in, "before", 0)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.add([]string{"before"}, "want an RFC 3339 date-time, got %q", text)
	}
	return at, true
}
