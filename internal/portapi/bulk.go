package portapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// The most entities that one bulk call takes; reference/catalog.md §6.2.
const (
	BulkUpsertMost = 20
	BulkDeleteMost = 100
)

// BulkItem is what became of one entity of a bulk upsert. The zero value says
// that nobody knows: the call that held it did not get through.
type BulkItem struct {
	Done    bool
	Created bool  // as opposed to replaced
	Err     error // why this entity was not written, a *[Fault]
}

// UpsertEntities writes up to [BulkUpsertMost] entities of one blueprint in one
// call and says what became of each, in their order. A call that the server
// refuses for its size or for the shape of one of its entities is divided, so
// that a bad entity fails alone. An error concerns the whole: nothing is known
// of the items that are not done.
func (c *Client) UpsertEntities(ctx context.Context, blueprint string, entities []jsonv.Object, query url.Values) ([]BulkItem, error) {
	b := &bulk{c: c, op: Op{Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities", "bulk"}, Query: query}}
	if query.Get("upsert") == "true" && !slices.ContainsFunc(entities, func(e jsonv.Object) bool { return text(e, "identifier") == "" }) {
		b.op.Repeat = RepeatSafe
	}
	items := make([]BulkItem, len(entities))
	return items, b.upsert(withLog(ctx, c), entities, items)
}

// DeleteEntities deletes up to [BulkDeleteMost] entities of one blueprint; those
// that are gone already are fine, and so is a blueprint that is. Port deletes all
// of a call or none, so a refused call is divided until only the entities that
// really cannot go are left: stay says why, by identifier. List dependents before
// what they require, for the case that they come to be in different calls. An
// error concerns the whole.
func (c *Client) DeleteEntities(ctx context.Context, blueprint string, identifiers []string, query url.Values) (stay map[string]error, err error) {
	b := &bulk{
		c:    c,
		op:   Op{Method: http.MethodPost, Path: []string{"blueprints", blueprint, "bulk", "entities", "delete"}, Query: query, Repeat: RepeatSafe},
		stay: map[string]error{},
	}
	err = b.remove(withLog(ctx, c), identifiers)
	return b.stay, err
}

type bulk struct {
	c    *Client
	op   Op // without its body
	stay map[string]error
}

func (b *bulk) send(ctx context.Context, entities []any) (outcome, Op, error) {
	op := b.op
	op.Body = jsonv.Object{"entities": entities}
	out, err := b.c.write(ctx, op)
	return out, op, err
}

func (b *bulk) upsert(ctx context.Context, entities []jsonv.Object, items []BulkItem) error {
	if len(entities) == 0 {
		return nil
	}
	list := make([]any, len(entities))
	for i, e := range entities {
		list[i] = e
	}
	out, op, err := b.send(ctx, list)
	if err == nil {
		b.judge(op, out, entities, items)
		return nil
	}
	f, ok := AsFault(err)
	if !ok || !divisible(f) {
		return err
	}
	if len(entities) == 1 {
		items[0] = BulkItem{Done: true, Err: f.below("entities", "0")}
		return nil
	}
	if bad := f.named(len(entities)); len(bad) > 0 && len(bad) < len(entities) {
		return b.without(ctx, f, bad, entities, items)
	}
	half := len(entities) / 2
	if err := b.upsert(ctx, entities[:half], items[:half]); err != nil {
		return err
	}
	return b.upsert(ctx, entities[half:], items[half:])
}

// without sends a call again that the server refused for some of its entities,
// less those.
func (b *bulk) without(ctx context.Context, f *Fault, bad map[int]bool, entities []jsonv.Object, items []BulkItem) error {
	var good []jsonv.Object
	var places []int
	for i, e := range entities {
		if bad[i] {
			items[i] = BulkItem{Done: true, Err: f.below("entities", strconv.Itoa(i))}
			continue
		}
		good, places = append(good, e), append(places, i)
	}
	rest := make([]BulkItem, len(good))
	err := b.upsert(ctx, good, rest)
	for i, at := range places {
		items[at] = rest[i]
	}
	return err
}

// judge reads the two lists of the answer; reference/catalog.md §4.10.
func (b *bulk) judge(op Op, out outcome, entities []jsonv.Object, items []BulkItem) {
	place := func(v any) int {
		o, ok := v.(jsonv.Object)
		if !ok {
			return -1
		}
		if n, ok := o["index"].(json.Number); ok {
			if i, err := strconv.Atoi(string(n)); err == nil && i >= 0 && i < len(items) {
				return i
			}
		}
		id := text(o, "identifier")
		return slices.IndexFunc(entities, func(e jsonv.Object) bool { return id != "" && text(e, "identifier") == id })
	}
	for _, v := range jsonv.List(out.body, "entities") {
		if i := place(v); i >= 0 {
			items[i] = BulkItem{Done: true, Created: jsonv.Bool(v, "created")}
		}
	}
	for _, v := range jsonv.List(out.body, "errors") {
		if i := place(v); i >= 0 {
			items[i] = BulkItem{Done: true, Err: b.fault(op, out, v)}
		}
	}
	for i := range items {
		if !items[i].Done {
			items[i] = BulkItem{Done: true, Err: b.fault(op, out, jsonv.Object{"message": "the answer does not say what became of this entity"})}
		}
	}
}

// fault makes the fault of one item, as the single route would have given it
// (reference/catalog.md §4.10 B4).
func (b *bulk) fault(op Op, out outcome, item any) *Fault {
	f := &Fault{Status: out.status, Method: op.Method, RequestID: out.header.Get("X-Trace-Id")}
	if n, ok := jsonv.Get(item, "statusCode"); ok {
		if number, ok := n.(json.Number); ok {
			if status, err := strconv.Atoi(string(number)); err == nil {
				f.Status = status
			}
		}
	}
	k, err := b.c.prepare(op)
	if err != nil {
		return f // it was sent, so it can be prepared
	}
	f.Path = k.path
	f.Code, f.Message = k.secrets.clean(jsonv.String(item, "error")), k.secrets.clean(jsonv.String(item, "message"))
	if details, ok := k.secrets.cleanValue(jsonv.Map(item, "details")).(jsonv.Object); ok && len(details) > 0 {
		f.Details = details
	}
	return f
}

func (b *bulk) remove(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	_, _, err := b.send(ctx, list)
	f, ok := AsFault(err)
	if !ok {
		return err
	}
	missing := f.Status == http.StatusNotFound && f.gone
	if missing && f.about() == "Blueprint" {
		return nil
	}
	blocked := f.Code == "has_dependents" || missing && f.about() == "Entity"
	if !blocked && !divisible(f) {
		return err
	}
	if len(ids) == 1 {
		if !missing {
			b.stay[ids[0]] = f
		}
		return nil
	}
	first, rest := ids[:len(ids)/2], ids[len(ids)/2:]
	if i := slices.IndexFunc(ids, func(id string) bool { return strings.Contains(f.Message, strconv.Quote(id)) }); blocked && i >= 0 {
		// The message names one: it goes, or rather stays, alone.
		first, rest = ids[i:i+1], slices.Delete(slices.Clone(ids), i, i+1)
	}
	if err := b.remove(ctx, first); err != nil {
		return err
	}
	return b.remove(ctx, rest)
}

// divisible reports whether a part of the call might be accepted: the body is too
// large, or something in it is wrong.
func divisible(f *Fault) bool {
	return f.Status == http.StatusRequestEntityTooLarge || f.Status == http.StatusUnprocessableEntity
}

// about is the kind of object that a not_found fault misses; its message has the
// form of reference/catalog.md §1.2.
func (f *Fault) about() string {
	if resource := text(f.Details, "resource"); resource != "" {
		return resource
	}
	kind, _, _ := strings.Cut(f.Message, " ")
	return kind
}

// named lists the elements of the body's "entities" that the fault points at.
func (f *Fault) named(size int) map[int]bool {
	bad := map[int]bool{}
	for _, p := range f.Problems() {
		if len(p.Pointer) < 2 || p.Pointer[0] != "entities" {
			return nil // something about the body as a whole
		}
		i, err := strconv.Atoi(p.Pointer[1])
		if err != nil || i < 0 || i >= size {
			return nil
		}
		bad[i] = true
	}
	return bad
}

// below is the part of a fault that concerns one place of the body, told as if
// that place were the body.
func (f *Fault) below(prefix ...string) *Fault {
	out := *f
	var kept []any
	var said []string
	for _, p := range f.Problems() {
		if len(p.Pointer) < len(prefix) || !slices.Equal(p.Pointer[:len(prefix)], prefix) {
			continue
		}
		p.Pointer = p.Pointer[len(prefix):]
		entry := jsonv.Object{"path": jsonv.Pointer(p.Pointer...), "message": p.Message}
		if p.Property != "" {
			entry["property"] = p.Property
		}
		if p.Reason != "" {
			entry["reason"] = p.Reason
		}
		kept, said = append(kept, entry), append(said, strings.TrimSpace(jsonv.Pointer(p.Pointer...)+" "+p.Message))
	}
	if len(kept) > 0 {
		out.Details, out.Message = jsonv.Object{"errors": kept}, strings.Join(said, "; ")
	}
	return &out
}
