package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

func openPostgres(t testing.TB) store.Store {
	t.Helper()
	return openDatabase(t, pgtest.URL(t))
}

func openDatabase(t testing.TB, url string) store.Store {
	t.Helper()
	return openWith(t, url, store.PostgresOptions{Indexes: storetest.Indexes()})
}

func openWith(t testing.TB, url string, o store.PostgresOptions) store.Store {
	t.Helper()
	s, err := store.OpenPostgres(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestPostgresConformsLong(t *testing.T) {
	t.Parallel()
	pgtest.Need(t)
	storetest.Run(t, openPostgres)
}

// Without a cache every document that is read comes from the tables.
func TestPostgresConformsWithoutACacheLong(t *testing.T) {
	t.Parallel()
	pgtest.Need(t)
	storetest.Run(t, func(t testing.TB) store.Store {
		return openWith(t, pgtest.URL(t), store.PostgresOptions{Indexes: storetest.Indexes(), CacheBytes: 1})
	})
}

// A pooler between portal and server keeps no prepared statements.
func TestPostgresConformsWithoutPreparedStatementsLong(t *testing.T) {
	t.Parallel()
	pgtest.Need(t)
	storetest.Run(t, func(t testing.TB) store.Store {
		return openDatabase(t, pgtest.URL(t)+"&default_query_exec_mode=exec")
	})
}

// Any document that a portal admits comes back as it was, through jsonb or not.
func TestPostgresKeepsRandomDocuments(t *testing.T) {
	t.Parallel()
	s := openWith(t, pgtest.URL(t), store.PostgresOptions{CacheBytes: 1})
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "a", "\x00", "\x01", "\u2028", "ü\U0001f600", `\u0000`, `"`, `\`, "\x7f", "\ufffd", "\ufeff", strings.Repeat("x", 5000)}
	number := func() json.Number {
		digits := func(n int) string {
			b := make([]byte, 1+r.IntN(n))
			for i := range b {
				b[i] = byte('0' + r.IntN(10))
			}
			return string(b)
		}
		text := []string{"0", "1" + digits(20), "1" + digits(3000)}[r.IntN(3)]
		if r.IntN(2) == 0 {
			text += "." + digits([]int{3, 30, 2000}[r.IntN(3)])
		}
		if r.IntN(3) == 0 {
			text += []string{"e", "E", "e+", "E-"}[r.IntN(4)] + digits(3)
		}
		if r.IntN(2) == 0 {
			text = "-" + text
		}
		return json.Number(text)
	}
	var value func(depth int) any
	value = func(depth int) any {
		switch n := r.IntN(7); {
		case n == 0:
			return nil
		case n == 1:
			return r.IntN(2) == 0
		case n == 2:
			return texts[r.IntN(len(texts))]
		case n < 5 || depth > 4:
			return number()
		case n == 5:
			list := []any{}
			for range r.IntN(4) {
				list = append(list, value(depth+1))
			}
			return list
		}
		o := jsonv.Object{}
		for range r.IntN(4) {
			o[texts[r.IntN(len(texts))]] = value(depth + 1)
		}
		return o
	}
	deep := func(n int) (v any) {
		for range n {
			v = []any{v}
		}
		return v
	}
	docs := []store.Doc{{"n": deep(199)}, {"n": deep(205)}, {"n": deep(5000)}}
	for range 500 {
		docs = append(docs, store.Doc{"v": value(0), "w": number()})
	}
	for from := 0; from < len(docs); from += 50 {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			for i := from; i < min(from+50, len(docs)); i++ {
				if err := tx.Put("k", docs[i], "o", fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, d := range docs {
		err := s.View(t.Context(), func(tx store.Tx) error {
			got, err := tx.Get("k", "o", fmt.Sprint(i))
			// A diff of something this deep would take minutes.
			if err == nil && !reflect.DeepEqual(d, got) {
				t.Errorf("document %d: want %.500v, got %.500v", i, d, got)
			}
			return err
		})
		if err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
	}
}

func TestPostgresHoldsLongKeysAndTimesLong(t *testing.T) {
	t.Parallel()
	s := openWith(t, pgtest.URL(t), store.PostgresOptions{Indexes: storetest.Indexes(), CacheBytes: 1})
	r := rand.New(rand.NewPCG(3, 4))
	letters := func(n int) string {
		b := make([]rune, n)
		for i := range b {
			b[i] = rune(0x4e00 + r.IntN(0x5000)) // three bytes each, hardly compressible
		}
		return string(b)
	}
	blueprint, id := letters(100), letters(1000)
	keys := [][]string{{"o", blueprint, id}, {"o", blueprint, id + "1"}, {"o", blueprint, id + "2"}, {"o", id, "x"}, {"o", id + "1", "x"}, {"o", letters(16000), letters(16000)}}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i, key := range keys {
			d := store.Doc{"a": "x", "n": fmt.Sprint(i), "createdAt": strings.Repeat("9", 5000)}
			if err := tx.Put(storetest.Indexed, d, key...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		prefix := key[:2]
		for _, where := range []store.Where{nil, hint{"a", "x"}} {
			err := s.View(t.Context(), func(tx store.Tx) error {
				d, err := tx.Get(storetest.Indexed, key...)
				if err != nil || d["n"] != fmt.Sprint(i) {
					t.Errorf("key %d: %v, %v", i, d["n"], err)
				}
				found := false
				for row, err := range tx.Scan(storetest.Indexed, where, store.Page{}, prefix...) {
					if err != nil {
						return err
					}
					if cmp.Equal(row.Key, key) {
						found = true
					}
					if !cmp.Equal(row.Key[:2], prefix) {
						t.Errorf("key %d: another prefix", i)
					}
				}
				if !found {
					t.Errorf("key %d is not below its prefix", i)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Whoever looks at two handles cannot tell them from one.
func TestSeveralPostgresHandlesAreOneStoreLong(t *testing.T) {
	t.Parallel()
	where := pgtest.URL(t)
	const handles, workers, rounds = 3, 4, 30
	var all sync.WaitGroup
	stores := make([]store.Store, handles)
	for i := range stores {
		// All are the first to come.
		all.Go(func() {
			s, err := store.OpenPostgres(context.Background(), where, store.PostgresOptions{Indexes: storetest.Indexes()})
			if err != nil {
				t.Error(err)
				return
			}
			stores[i] = s
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	var mu sync.Mutex
	winners := map[string]int{}
	for h, s := range stores {
		t.Cleanup(func() { _ = s.Close() })
		for range workers {
			all.Go(func() {
				for round := range rounds {
					id, won := fmt.Sprint(round), false
					err := s.Update(context.Background(), func(tx store.Tx) error {
						won = false
						counter, err := tx.Get("counter", "o")
						if err != nil && !errors.Is(err, store.ErrNotFound) {
							return err
						}
						if err := tx.Put("counter", store.Doc{"n": next(counter)}, "o"); err != nil {
							return err
						}
						// One of all makes the document.
						if _, err := tx.Get(storetest.Indexed, "o", id); !errors.Is(err, store.ErrNotFound) {
							return err
						}
						won = true
						return tx.Put(storetest.Indexed, store.Doc{"a": fmt.Sprint(h)}, "o", id)
					})
					if err != nil {
						t.Error(err)
						return
					}
					// What was acknowledged here is seen there.
					err = stores[(h+1)%handles].View(context.Background(), func(tx store.Tx) error {
						_, err := tx.Get(storetest.Indexed, "o", id)
						return err
					})
					if err != nil {
						t.Errorf("the neighbour does not see %s: %v", id, err)
					}
					if won {
						mu.Lock()
						winners[id]++
						mu.Unlock()
					}
				}
			})
		}
	}
	all.Wait()
	for id, n := range winners {
		if n != 1 {
			t.Errorf("%s was made %d times", id, n)
		}
	}
	err := stores[0].View(t.Context(), func(tx store.Tx) error {
		d, err := tx.Get("counter", "o")
		if want := fmt.Sprint(handles * workers * rounds); fmt.Sprint(d["n"]) != want {
			t.Errorf("counted %v, want %s", d["n"], want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPostgresFollowsChangesOfOtherHandlesLong(t *testing.T) {
	t.Parallel()
	where := pgtest.URL(t)
	storetest.Mirror(t, openDatabase(t, where), openDatabase(t, where), openDatabase(t, where))
}

// With other indexes the entries are written anew, and a program that knows only
// the old ones does no harm any more.
func TestPostgresIndexVersionsLong(t *testing.T) {
	t.Parallel()
	where := pgtest.URL(t)
	index := func(name string) store.Indexes {
		return store.Indexes{"k": func(d store.Doc) []store.Entry {
			return []store.Entry{{Path: name, Value: jsonv.String(d, name)}}
		}}
	}
	old := openWith(t, where, store.PostgresOptions{Indexes: index("old"), IndexVersion: "1"})
	errFatal(t, old.Update(t.Context(), func(tx store.Tx) error {
		for i := range 2500 {
			if err := tx.Put("k", store.Doc{"old": "x", "new": fmt.Sprint(i)}, "o", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	}))
	count := func(s store.Store, path, value string) (n int) {
		errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
			for _, err := range tx.Scan("k", hint{path, value}, store.Page{}, "o") {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		}))
		return n
	}
	newer := openWith(t, where, store.PostgresOptions{Indexes: index("new"), IndexVersion: "2"})
	if n := count(newer, "new", "77"); n != 1 {
		t.Errorf("by the new index: %d", n)
	}
	if n := count(old, "old", "x"); n != 2500 {
		t.Errorf("without the old index: %d", n)
	}
	var taken *store.DatabaseError
	err := old.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", store.Doc{}, "o", "x") })
	if !errors.As(err, &taken) || !strings.Contains(err.Error(), "another version") {
		t.Errorf("an update by the old program: %v", err)
	}
}

func TestPostgresTroubleIsOneLineWithoutThePasswordLong(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-pass"
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	errFatal(t, err)
	closed := l.Addr().String()
	errFatal(t, l.Close())
	for name, c := range map[string]struct {
		url, want string
		server    bool
	}{
		"no URL":               {url: "host=x password=" + secret, want: "not of the form"},
		"another scheme":       {url: "mysql://u:" + secret + "@h/d", want: "not of the form"},
		"a broken URL":         {url: "postgres://u:" + secret + "@h:port/d", want: "not of the form"},
		"a broken password":    {url: "postgres://u:%zz" + secret + "@h/d", want: "not of the form"},
		"a bad parameter":      {url: "postgres://u:" + secret + "@h/d?sslmode=" + "sometimes", want: "cannot be read"},
		"nobody there":         {url: "postgres://u:" + secret + "@" + closed + "/d", want: "cannot connect"},
		"no such host":         {url: "postgres://u:" + secret + "@nowhere.invalid/d", want: "cannot connect"},
		"no such database":     {server: true, url: "/nowhere", want: "no such database"},
		"no such user":         {server: true, url: "?user=nobody_here", want: "refuses the user"},
		"no schema":            {server: true, url: "?search_path=nowhere", want: "no schema"},
		"a read-only database": {server: true, url: "?default_transaction_read_only=on", want: "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := c.url
			if c.server {
				where = variant(t, pgtest.URL(t), c.url, secret)
			}
			s, err := store.OpenPostgres(t.Context(), where, store.PostgresOptions{})
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			text := err.Error()
			if !strings.Contains(text, c.want) || strings.Contains(text, secret) || strings.Contains(text, "\n") {
				t.Errorf("%q, want %q in it", text, c.want)
			}
		})
	}
}

// variant changes the path or a parameter of a URL and gives it a password.
func variant(t *testing.T, base, change, password string) string {
	t.Helper()
	u, err := url.Parse(base)
	errFatal(t, err)
	u.User = url.UserPassword(u.User.Username(), password)
	if path, ok := strings.CutPrefix(change, "/"); ok {
		u.Path = "/" + path
		return u.String()
	}
	q := u.Query()
	name, value, _ := strings.Cut(change[1:], "=")
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestPostgresLeavesWhatIsNotItsOwnLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, want string }{
		"one table of that name":  {"CREATE TABLE portal_doc (id int)", "portal_doc is there already"},
		"an empty portal_meta":    {"CREATE TABLE portal_meta (id int)", "portal_meta is there already"},
		"another program's meta":  {store.PostgresTables + ";UPDATE portal_meta SET application = 'x'", "another program"},
		"no meta row":             {store.PostgresTables + ";DELETE FROM portal_meta", "another program"},
		"a later format":          {store.PostgresTables + ";UPDATE portal_meta SET format = 99", "format 99"},
		"other columns of a meta": {store.PostgresTables + ";DROP TABLE portal_meta; CREATE TABLE portal_meta (x int)", "another program"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := pgtest.URL(t)
			pgtest.Execute(t, where, c.script)
			s, err := store.OpenPostgres(t.Context(), where, store.PostgresOptions{})
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q, want %q in it", err, c.want)
			}
		})
	}
}

func TestPostgresOutlivesTheServerLong(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := openDatabase(t, server.URL())
	put := func(id string) error {
		return s.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", store.Doc{"id": id}, "o", id) })
	}
	errFatal(t, put("before"))
	var mark store.Mark
	errFatal(t, s.View(t.Context(), func(tx store.Tx) (err error) {
		_, mark, _, err = tx.Changed("")
		return err
	}))
	server.Restart()
	// All connections are broken; nobody notices.
	errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
		d, err := tx.Get("k", "o", "before")
		if err == nil && d["id"] != "before" {
			t.Errorf("got %v", d)
		}
		if _, _, known, e := tx.Changed(mark); known || e != nil {
			t.Errorf("a mark of the server's last life is known: %v, %v", known, e)
		}
		return err
	}))
	errFatal(t, put("after"))
	// A connection that breaks inside a transaction is told, and nothing is done twice.
	runs := 0
	err := s.Update(t.Context(), func(tx store.Tx) error {
		runs++
		if _, err := tx.Get("k", "o", "before"); err != nil {
			return err
		}
		server.Restart()
		return tx.Put("k", store.Doc{}, "o", "lost")
	})
	if !errors.As(err, new(*store.UncertainError)) || runs != 1 {
		t.Errorf("a commit on a broken connection: %v after %d runs", err, runs)
	}
	err = s.View(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Get("k", "o", "before"); err != nil {
			return err
		}
		server.Restart()
		_, err := tx.Get("k", "o", "after")
		return err
	})
	if !errors.As(err, new(*store.DatabaseError)) || !strings.Contains(err.Error(), "broke") {
		t.Errorf("a read on a broken connection: %v", err)
	}
	errFatal(t, put("last"))
}
