package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func created(at string) store.Doc { return store.Doc{"createdAt": at} }

func ordering(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			tx.Put(plain, created("2024-01-02"), "o", "a", "1"),
			tx.Put(plain, created("2024-01-01"), "o", "b", "2"),
			tx.Put(plain, created("2024-01-01"), "o", "a", "3"),
			tx.Put(plain, created("2024-01-01"), "o", "a\x00", "4"),
			tx.Put(plain, created("2024-01-01"), "o", "aa", "5"),
			tx.Put(plain, store.Doc{}, "o", "z", "6"),
			tx.Put(plain, store.Doc{"createdAt": jsonv.Int(5)}, "o", "y", "7"),
			tx.Put(plain, created("2024-01-01\x00"), "o", "b", "8"),
			tx.Put(plain, created("Ünder"), "o", "c", "9"),
		)
	})
	same(t, []string{"7", "6", "3", "4", "5", "2", "8", "1", "9"}, lastParts(scan(t, s, plain, nil, store.Page{}, "o")))
	same(t, []string{"3", "1"}, lastParts(scan(t, s, plain, nil, store.Page{}, "o", "a")))
	put(t, s, plain, created("2000"), "n", "0")
	same(t, []string{"7", "6", "0", "3", "4", "5", "2", "8", "1", "9"}, lastParts(scan(t, s, plain, nil, store.Page{})))
}

func prefixes(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		for _, key := range [][]string{{"o"}, {"o", "a"}, {"o", "ab"}, {"o", "a", "x"}, {"o", "ab", "x"}, {"o", "a", "x", "deep"}, {"oo", "a"}, {"", "a"}, {"o", "", "e"}} {
			if err := tx.Put(plain, store.Doc{}, key...); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		prefix []string
		want   []string
	}{
		{[]string{"o"}, []string{"o", "o||e", "o|a", "o|a|x", "o|a|x|deep", "o|ab", "o|ab|x"}},
		{[]string{"o", "a"}, []string{"o|a", "o|a|x", "o|a|x|deep"}},
		{[]string{"o", "a", "x"}, []string{"o|a|x", "o|a|x|deep"}},
		{[]string{"o", "a", "x", "deep"}, []string{"o|a|x|deep"}},
		{[]string{"o", ""}, []string{"o||e"}},
		{[]string{""}, []string{"|a"}},
		{[]string{"o", "A"}, []string{}},
		{nil, []string{"|a", "o", "o||e", "o|a", "o|a|x", "o|a|x|deep", "o|ab", "o|ab|x", "oo|a"}},
	} {
		got := []string{}
		for _, r := range scan(t, s, plain, nil, store.Page{}, c.prefix...) {
			got = append(got, strings.Join(r.Key, "|"))
		}
		same(t, c.want, got)
	}
}

func exactPrefix(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			tx.Put(plain, created("2"), "o", "p"),
			tx.Put(plain, created("1"), "o", "p", "before"),
			tx.Put(plain, created("2"), "o", "p", "same time"),
			tx.Put(plain, created("3"), "o", "p", "after"))
	})
	want := []string{"before", "p", "same time", "after"}
	same(t, want, lastParts(scan(t, s, plain, nil, store.Page{}, "o", "p")))
	same(t, want, pages(t, s, plain, nil, 1, "o", "p"))
}

// pages joins pages of a size.
func pages(t *testing.T, s store.Store, k store.Kind, where store.Where, size int, prefix ...string) []string {
	t.Helper()
	out := []string{}
	page := store.Page{Limit: size}
	for {
		rows := scan(t, s, k, where, page, prefix...)
		if len(rows) > size {
			t.Fatalf("%d rows on a page of %d", len(rows), size)
		}
		if len(rows) == 0 {
			return out
		}
		out = append(out, lastParts(rows)...)
		page.After = store.Cursor(rows[len(rows)-1])
	}
}

func paging(t *testing.T, s store.Store) {
	rng := newDice(1)
	update(t, s, func(tx store.Tx) error {
		for i := range 60 {
			d := created(fmt.Sprint(rng.IntN(5)))
			d["a"] = fmt.Sprint(i % 3)
			key := []string{"o", fmt.Sprint(i % 2), trickyParts[rng.IntN(len(trickyParts))] + fmt.Sprint(i)}
			if err := errors.Join(tx.Put(plain, d, key...), tx.Put(Indexed, d, key...)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, k := range []store.Kind{plain, Indexed} {
		for _, prefix := range [][]string{{}, {"o"}, {"o", "1"}} {
			for name, where := range map[string]store.Where{"everything": nil, "some": equal("a", "1", "2")} {
				want := lastParts(scan(t, s, k, where, store.Page{}, prefix...))
				for _, size := range []int{1, 2, 7, 59, 60, 1000} {
					if got := pages(t, s, k, where, size, prefix...); !slices.Equal(got, want) {
						t.Errorf("%s, %s below %q by %d: %q, want %q", k, name, prefix, size, got, want)
					}
				}
			}
		}
	}
	// A cursor is a position, also for a scan of another part of the tree.
	all := scan(t, s, plain, nil, store.Page{}, "o")
	for _, r := range all {
		want := []string{}
		behind := false
		for _, other := range all {
			if behind && other.Key[1] == "0" {
				want = append(want, other.Key[2])
			}
			behind = behind || slices.Equal(other.Key, r.Key)
		}
		same(t, want, lastParts(scan(t, s, plain, nil, store.Page{After: store.Cursor(r)}, "o", "0")))
	}
}

func pagingUnderWrites(t *testing.T, s store.Store) {
	id := func(i int) string { return fmt.Sprintf("%03d", i) }
	for i := range 20 {
		put(t, s, plain, created(id(i)), "o", id(i))
	}
	var got []string
	page := store.Page{Limit: 3}
	for step := 0; ; step++ {
		rows := scan(t, s, plain, nil, page, "o")
		if len(rows) == 0 {
			break
		}
		got = append(got, lastParts(rows)...)
		last := rows[len(rows)-1]
		page.After = store.Cursor(last)
		update(t, s, func(tx store.Tx) error {
			// The row of the cursor goes, one appears before it and one changes.
			return errors.Join(
				tx.Delete(plain, last.Key...),
				tx.Put(plain, created(last.Key[1]), "o", "!"+id(step)),
				tx.Put(plain, store.Doc{"createdAt": id(19), "changed": true}, "o", id(19)))
		})
		if step > 20 {
			t.Fatal("the pages do not end")
		}
	}
	var want []string
	for i := range 20 {
		want = append(want, id(i))
	}
	// The last page deletes 019, and nothing reappears.
	same(t, want, got)
}

func badCursor(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{}, "o", "x")
	for _, after := range []string{"x", "!", "AAAA", "eAE", "_w"} {
		view(t, s, func(tx store.Tx) error {
			_, err := collect(tx, plain, nil, store.Page{After: after}, "o")
			if !errors.Is(err, store.ErrCursor) {
				t.Errorf("%q: %v", after, err)
			}
			return nil
		})
	}
}

func writesDuringScan(t *testing.T, s store.Store) {
	for _, where := range []store.Where{nil, equal("a", "x")} {
		update(t, s, func(tx store.Tx) error {
			for i := range 10 {
				if err := tx.Put(Indexed, store.Doc{"a": "x", "createdAt": fmt.Sprint(i)}, "o", "p", fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		})
		for _, prefix := range [][]string{{}, {"o"}, {"o", "p"}} {
			undo := errors.New("undo")
			err := s.Update(t.Context(), func(tx store.Tx) error {
				var got []string
				for row, err := range tx.Scan(Indexed, where, store.Page{}, prefix...) {
					if err != nil {
						return err
					}
					got = append(got, row.Key[2]+jsonv.String(row.Doc, "a")+jsonv.String(row.Doc, "createdAt"))
					i := len(got) - 1
					if err := errors.Join(
						tx.Put(Indexed, store.Doc{"a": "y", "createdAt": "9999"}, "o", "p", fmt.Sprint((i+1)%10)),
						tx.Put(Indexed, store.Doc{"a": "x", "createdAt": fmt.Sprint(i)}, "o", "p", "new"+fmt.Sprint(i)),
					); err != nil {
						return err
					}
					if i < 8 {
						if err := tx.Delete(Indexed, "o", "p", fmt.Sprint(i+2)); err != nil {
							return err
						}
					}
				}
				same(t, []string{"0x0", "1x1", "2x2", "3x3", "4x4", "5x5", "6x6", "7x7", "8x8", "9x9"}, got)
				return undo
			})
			if !errors.Is(err, undo) {
				t.Errorf("below %q: %v", prefix, err)
			}
		}
	}
}

func nestedScans(t *testing.T, s store.Store) {
	for _, id := range []string{"a", "b", "c"} {
		put(t, s, plain, store.Doc{}, "o", id)
	}
	run := func(tx store.Tx) error {
		var got []string
		for outer, err := range tx.Scan(plain, nil, store.Page{}, "o") {
			if err != nil {
				return err
			}
			for inner, err := range tx.Scan(plain, nil, store.Page{}, "o") {
				if err != nil {
					return err
				}
				if inner.Key[1] == "c" {
					break
				}
				if _, err := tx.Get(plain, inner.Key...); err != nil {
					return err
				}
				got = append(got, outer.Key[1]+inner.Key[1])
			}
			if outer.Key[1] == "b" {
				break
			}
		}
		same(t, []string{"aa", "ab", "ba", "bb"}, got)
		return nil
	}
	for range 3 {
		view(t, s, run)
		update(t, s, run)
	}
}

func movesInOrder(t *testing.T, s store.Store) {
	for _, id := range []string{"a", "b", "c"} {
		put(t, s, Indexed, store.Doc{"createdAt": "2", "a": "x"}, "o", "p", id)
	}
	put(t, s, Indexed, store.Doc{"createdAt": "3", "a": "x"}, "o", "p", "a")
	put(t, s, Indexed, store.Doc{"createdAt": "1", "a": "x"}, "o", "p", "c")
	for _, where := range []store.Where{nil, equal("a", "x")} {
		for _, prefix := range [][]string{{}, {"o"}, {"o", "p"}} {
			same(t, []string{"c", "b", "a"}, lastParts(scan(t, s, Indexed, where, store.Page{}, prefix...)))
		}
	}
}

// indexEquivalence puts the same documents under a kind with an index and one
// without and asks both the same questions.
func indexEquivalence(t *testing.T, s store.Store) {
	rng := newDice(3)
	values := []string{"", "x", "y", "z", "\x00", "\x01", strings.Repeat("long", 100), strings.Repeat("long", 100) + "er"}
	pick := func() string { return values[rng.IntN(len(values))] }
	for range 300 {
		update(t, s, func(tx store.Tx) error {
			key := []string{fmt.Sprint(rng.IntN(2)), fmt.Sprint(rng.IntN(3)), fmt.Sprint(rng.IntN(40))}
			if rng.IntN(5) == 0 {
				err := tx.Delete(Indexed, key...)
				if other := tx.Delete(plain, key...); errors.Is(err, store.ErrNotFound) != errors.Is(other, store.ErrNotFound) {
					t.Errorf("delete: %v and %v", err, other)
				}
				if errors.Is(err, store.ErrNotFound) {
					return nil
				}
				return err
			}
			d := created(fmt.Sprint(rng.IntN(4)))
			d["last"] = key[2]
			if rng.IntN(3) > 0 {
				d["a"] = pick()
			}
			tags := []any{}
			for range rng.IntN(4) {
				tags = append(tags, pick())
			}
			d["tags"] = tags
			return errors.Join(tx.Put(Indexed, d, key...), tx.Put(plain, d, key...))
		})
	}
	for range 300 {
		where := equal("a", pick(), pick())
		prefix := []string{fmt.Sprint(rng.IntN(2)), fmt.Sprint(rng.IntN(3))}[:rng.IntN(3)]
		switch rng.IntN(6) {
		case 0:
			where = equal("tags", pick(), pick(), pick())
		case 3:
			where = either(where, equal("tags", pick()))
		case 4:
			key := fmt.Sprint(rng.IntN(40))
			where = either(equal("tags", pick()), keyed(key, "absent", strings.Repeat("k", 1<<17)))
			if len(prefix) < 2 {
				where.equals = nil // the part behind a shorter prefix is not the last
			}
		case 1:
			a, b := equal("a", pick(), pick()), equal("tags", pick(), pick())
			where = when{func(d store.Doc) bool { return a.match(d) && b.match(d) }, append(a.equals, b.equals...)}
		case 2:
			where.equals[0].Values = append(where.equals[0].Values, "absent", where.equals[0].Values[0])
		}
		page := store.Page{Limit: rng.IntN(6)}
		if all := scan(t, s, plain, nil, store.Page{}); rng.IntN(2) == 0 {
			page.After = store.Cursor(all[rng.IntN(len(all))])
		}
		// Without conditions nothing is left out: what a plain walk admits.
		unhinted := when{match: where.match}
		same(t, scan(t, s, plain, unhinted, page, prefix...), scan(t, s, Indexed, where, page, prefix...))
	}
	none := when{match: func(store.Doc) bool { return false }, equals: []store.Equal{{Path: "a"}}}
	same(t, 0, len(scan(t, s, Indexed, none, store.Page{})))
}

func indexSelective(t *testing.T, s store.Store) {
	stats, ok := s.(store.Stats)
	if !ok {
		t.Skip("the store does not count")
	}
	update(t, s, func(tx store.Tx) error {
		for i := range 2000 {
			d := store.Doc{"a": fmt.Sprint(i % 500), "tags": []any{"all", fmt.Sprint(i % 2)}, "last": fmt.Sprint(i)}
			if err := tx.Put(Indexed, d, fmt.Sprint(i%2), "b", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	tags := equal("tags", "all")
	tags.equals = append(tags.equals, store.Equal{Path: "a", Values: []string{"4"}})
	some := either(either(equal("a", "7"), keyed("9")), equal("a", "1"))
	for name, c := range map[string]struct {
		where  store.Where
		prefix []string
		page   store.Page
		most   int64
		rows   int
	}{
		"one value":             {where: equal("a", "7"), prefix: []string{"1", "b"}, most: 4, rows: 4},
		"another organization":  {where: equal("a", "7"), prefix: []string{"0"}, most: 0},
		"two values":            {where: equal("a", "7", "8"), prefix: nil, most: 8, rows: 8},
		"the better condition":  {where: tags, prefix: []string{"0"}, most: 4, rows: 4},
		"a page of a wide one":  {where: equal("tags", "all"), prefix: []string{"0"}, page: store.Page{Limit: 5}, most: 5, rows: 5},
		"a page of everything":  {prefix: []string{"0"}, page: store.Page{Limit: 5}, most: 5, rows: 5},
		"a value nobody has":    {where: equal("a", "none"), most: 0},
		"no value at all":       {where: equal("a"), most: 0},
		"any of three":          {where: some, prefix: []string{"1", "b"}, most: 9, rows: 9},
		"a few of a wide one":   {where: equal("tags", "all"), prefix: []string{"0"}, page: store.Page{Few: 5}, most: 1000, rows: 1000},
		"documents of one part": {prefix: []string{"1", "b", "7"}, most: 1, rows: 1},
	} {
		before := stats.Examined()
		rows := scan(t, s, Indexed, c.where, c.page, c.prefix...)
		if looked := stats.Examined() - before; looked > c.most || len(rows) != c.rows {
			t.Errorf("%s: looked at %d documents for %d rows, want at most %d for %d", name, looked, len(rows), c.most, c.rows)
		}
	}
}

func longValues(t *testing.T, s store.Store) {
	long := strings.Repeat("x", 10_000)
	put(t, s, Indexed, store.Doc{"a": long + "1"}, "o", "1")
	put(t, s, Indexed, store.Doc{"a": long + "2"}, "o", "2")
	same(t, []string{"1"}, lastParts(scan(t, s, Indexed, equal("a", long+"1"), store.Page{}, "o")))
	put(t, s, Indexed, store.Doc{"a": long + "2"}, "o", "1")
	same(t, []string{}, lastParts(scan(t, s, Indexed, equal("a", long+"1"), store.Page{}, "o")))
	same(t, []string{"1", "2"}, lastParts(scan(t, s, Indexed, equal("a", long+"2"), store.Page{}, "o")))
}
