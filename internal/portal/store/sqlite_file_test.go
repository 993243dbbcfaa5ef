package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

// database runs plain SQL on a file, as another program would.
func database(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// directory is the content of every file in dir by name.
func directory(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			out[e.Name()] = e.Type().String()
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

func TestForeignFilesAreRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	write := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	statements := func(s ...string) func(*testing.T, string) {
		return func(t *testing.T, path string) { database(t, path, s...) }
	}
	ours := fmt.Sprintf("PRAGMA application_id = %d", 0x504c706f)
	for name, c := range map[string]struct {
		make func(*testing.T, string)
		want string
	}{
		"one byte":                     {write("x"), "is not a data file of the portal: it is no SQLite database"},
		"a short text":                 {write("hello\n"), "is not a data file of the portal: it is no SQLite database"},
		"a long text":                  {write(strings.Repeat("{\"a\": 1}\n", 5000)), "it is no SQLite database"},
		"zeros":                        {write(strings.Repeat("\x00", 8192)), "it is no SQLite database"},
		"a cut header":                 {write("SQLite format 3\x00"), "is not a data file of the portal"},
		"another program's database":   {statements("CREATE TABLE t (a)"), "a SQLite database of another program"},
		"another program's with WAL":   {statements("PRAGMA journal_mode = WAL", "PRAGMA application_id = 7", "CREATE TABLE t (a)"), "a SQLite database of another program"},
		"another program's, versioned": {statements("PRAGMA user_version = 2", "CREATE TABLE doc (a)"), "a SQLite database of another program"},
		"ours without a format":        {statements(ours, "CREATE TABLE t (a)"), "it names no data format"},
		"ours of a later format":       {statements(ours, "PRAGMA user_version = 99", "CREATE TABLE t (a)"), "has data format 99, this program reads up to format 2"},
		"ours, later, with WAL":        {statements(ours, "PRAGMA user_version = 99", "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)"), "has data format 99"},
		"a directory":                  {func(t *testing.T, path string) { errFatal(t, os.Mkdir(path, 0o700)) }, "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "data.db")
			c.make(t, path)
			before := directory(t, dir)
			_, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if strings.Contains(fmt.Sprint(err), "\n") {
				t.Errorf("more than one line: %v", err)
			}
			if diff := cmp.Diff(before, directory(t, dir)); diff != "" {
				t.Errorf("the directory changed\n%s", diff)
			}
			var foreign *store.NotDataFileError
			var newer *store.NewerFormatError
			var access *store.FileAccessError
			if !errors.As(err, &foreign) && !errors.As(err, &newer) && !errors.As(err, &access) {
				t.Errorf("%T is no typed error", err)
			}
			if strings.Contains(c.want, "format 99") && (!errors.As(err, &newer) || newer.Found != 99 || newer.Supported != 2) {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func errFatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPlacesThatCannotHoldAFileAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	errFatal(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "data.db"): "the directory " + filepath.Join(dir, "none") + " does not exist",
		filepath.Join(dir, "file", "data.db"): "not a directory",
	} {
		_, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{})
		var access *store.FileAccessError
		if !errors.As(err, &access) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if diff := cmp.Diff(map[string]string{"file": ""}, directory(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestFilesWithoutPermissionAreRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	for name, mode := range map[string]os.FileMode{"cannot be read": 0o200, "cannot be written": 0o400} {
		dir := t.TempDir()
		path := filepath.Join(dir, "data.db")
		s := openFile(t, path)
		errFatal(t, s.Close())
		before := directory(t, dir)
		errFatal(t, os.Chmod(path, mode))
		_, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{})
		var access *store.FileAccessError
		if !errors.As(err, &access) || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
		errFatal(t, os.Chmod(path, 0o600))
		if diff := cmp.Diff(before, directory(t, dir)); diff != "" {
			t.Error(diff)
		}
	}
	dir := t.TempDir()
	errFatal(t, os.Chmod(dir, 0o500))
	_, err := store.OpenSQLite(t.Context(), filepath.Join(dir, "data.db"), store.SQLiteOptions{})
	if err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("got %v", err)
	}
}

func TestDocumentsSurviveReopening(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain.db", "with space.db", "100% ?&#.db", "ünïcode.db"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if name == "plain.db" {
			errFatal(t, os.WriteFile(path, nil, 0o600)) // an empty file is a place to start
		}
		for round := range 3 {
			s := openFile(t, path)
			got := map[string]any{}
			errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
				for r, err := range tx.Scan(storetest.Indexed, nil, store.Page{}, "o") {
					if err != nil {
						return err
					}
					got[r.Key[1]] = r.Doc["a"]
				}
				return nil
			}))
			want := map[string]any{}
			for i := range round {
				want[fmt.Sprint(i)] = "x"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, round %d\n%s", name, round, diff)
			}
			errFatal(t, s.Update(t.Context(), func(tx store.Tx) error {
				return tx.Put(storetest.Indexed, store.Doc{"a": "x"}, "o", fmt.Sprint(round))
			}))
			errFatal(t, s.Close())
			if files := directory(t, dir); len(files) != 1 || files[name] == "" {
				t.Errorf("%s: %d files after closing", name, len(files))
			}
		}
	}
}

func TestRelativePathsWork(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := store.OpenSQLite(t.Context(), "data.db", store.SQLiteOptions{})
	errFatal(t, err)
	errFatal(t, s.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", store.Doc{}, "o") }))
	errFatal(t, s.Close())
	if _, err := os.Stat("data.db"); err != nil {
		t.Error(err)
	}
}

func TestTwoStoresInOneProcessShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	a, b := openFile(t, path), openFile(t, path)
	// Opening and closing a third one must not take their locks away.
	errFatal(t, openFile(t, path).Close())
	done := make(chan error, 2)
	for i, s := range []store.Store{a, b} {
		go func() {
			for n := range 100 {
				err := s.Update(context.Background(), func(tx store.Tx) error {
					d, err := tx.Get("k", "o", "counter")
					if err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
					return errors.Join(
						tx.Put("k", store.Doc{"n": next(d)}, "o", "counter"),
						tx.Put("k", store.Doc{}, "o", fmt.Sprint(i), fmt.Sprint(n)))
				})
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	errFatal(t, errors.Join(<-done, <-done))
	for _, s := range []store.Store{a, b} {
		errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
			d, err := tx.Get("k", "o", "counter")
			if got := string(jsonv.Encode(d)); got != `{"n":200}` {
				t.Errorf("got %s", got)
			}
			return err
		}))
	}
}

func TestOlderFormatsAreMigrated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	database(t, path,
		`CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL)`,
		`INSERT INTO meta VALUES (1, 3)`,
		`CREATE TABLE doc (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, created TEXT NOT NULL,
			revision INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (kind, key))`,
		`INSERT INTO doc VALUES (1, 'indexed', 'o'||char(1)||'p'||char(1)||'b'||char(1), '1', 1, '{"a":"x","createdAt":"1","n":9007199254740993}')`,
		`INSERT INTO doc VALUES (2, 'indexed', 'o'||char(1)||'p'||char(1)||'a'||char(1), '2', 2, '{"a":"x","createdAt":"2","tags":["t","t"]}')`,
		`INSERT INTO doc VALUES (5, 'other', 'o'||char(1), '', 3, '{}')`,
		`PRAGMA user_version = 1`,
		fmt.Sprintf("PRAGMA application_id = %d", 0x504c706f),
	)
	for range 2 {
		s := openFile(t, path)
		for name, c := range map[string]struct {
			where  store.Where
			prefix []string
			want   string
		}{
			"in order":   {nil, []string{"o", "p"}, `b{"a":"x","createdAt":"1","n":9007199254740993} a{"a":"x","createdAt":"2","tags":["t","t"]} `},
			"org":        {nil, []string{"o"}, `b{"a":"x","createdAt":"1","n":9007199254740993} a{"a":"x","createdAt":"2","tags":["t","t"]} `},
			"by the tag": {hint{"tags", "t"}, []string{"o"}, `a{"a":"x","createdAt":"2","tags":["t","t"]} `},
		} {
			got := ""
			errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
				for r, err := range tx.Scan(storetest.Indexed, c.where, store.Page{}, c.prefix...) {
					if err != nil {
						return err
					}
					got += r.Key[2] + string(jsonv.Encode(r.Doc)) + " "
				}
				_, err := tx.Get("other", "o")
				return err
			}))
			if got != c.want {
				t.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
		errFatal(t, s.Close())
	}
}

// hint is a condition that only the index can decide.
type hint struct{ path, value string }

func (h hint) Match(store.Doc) bool { return true }

func (h hint) Equals() []store.Equal {
	return []store.Equal{{Path: h.path, Values: []string{h.value}}}
}

func TestANewIndexVersionRebuildsTheIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	open := func(field, version string) store.Store {
		s, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{IndexVersion: version, Indexes: store.Indexes{
			"k": func(d store.Doc) []store.Entry {
				return []store.Entry{{Path: field, Value: jsonv.String(d, field)}}
			},
		}})
		errFatal(t, err)
		return s
	}
	count := func(s store.Store, path string) (n int) {
		errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
			for _, err := range tx.Scan("k", hint{path, "x"}, store.Page{}, "o") {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		}))
		return n
	}
	old := open("a", "1")
	errFatal(t, old.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.Put("k", store.Doc{"a": "x", "b": "y"}, "o", "1"),
			tx.Put("k", store.Doc{"a": "y", "b": "x"}, "o", "2"),
			tx.Put("k", store.Doc{"a": "y", "b": "x"}, "o", "3"))
	}))
	if a, b := count(old, "a"), count(old, "b"); a != 1 || b != 0 {
		t.Errorf("first index: %d and %d", a, b)
	}
	newer := open("b", "2")
	if a, b := count(newer, "a"), count(newer, "b"); a != 0 || b != 2 {
		t.Errorf("second index: %d and %d", a, b)
	}
	// The program that still runs with the first index must not trust the
	// entries any more, and must not write wrong ones.
	if n := count(old, "a"); n != 3 {
		t.Errorf("the old program skipped documents by an index that is not its own: %d", n)
	}
	err := old.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", store.Doc{}, "o", "4") })
	if err == nil || !strings.Contains(err.Error(), "another version of the program") {
		t.Errorf("got %v", err)
	}
	errFatal(t, errors.Join(old.Close(), newer.Close()))
}

func TestANewerFormatThatAppearsWhileRunningStopsWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	s := openFile(t, path)
	put := func(tx store.Tx) error { return tx.Put("k", store.Doc{}, "o", "1") }
	errFatal(t, s.Update(t.Context(), put))
	database(t, path, "PRAGMA user_version = 3")
	err := s.Update(t.Context(), put)
	var newer *store.NewerFormatError
	if !errors.As(err, &newer) || newer.Found != 3 {
		t.Errorf("got %v", err)
	}
}

func TestDamagedDocumentsAreErrorsNotPanics(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	s := openFile(t, path)
	errFatal(t, s.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", store.Doc{}, "o", "1") }))
	errFatal(t, s.Close())
	database(t, path, `UPDATE doc SET body = '{"a":'`)
	s = openFile(t, path)
	err := s.View(t.Context(), func(tx store.Tx) error { _, err := tx.Get("k", "o", "1"); return err })
	if err == nil || !strings.Contains(err.Error(), "damaged document") {
		t.Errorf("got %v", err)
	}
}

func TestTheFileSaysWhoseItIsBeforeTheLogIsEmptied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	s := openFile(t, path)
	errFatal(t, s.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", store.Doc{}, "o", "1") }))
	// As after a kill: the log is still there and the store was never closed.
	text, err := os.ReadFile(path)
	errFatal(t, err)
	if !bytes.HasPrefix(text, []byte("SQLite format 3\x00")) || !bytes.Equal(text[68:72], []byte("PLpo")) {
		t.Error("the header in the file does not carry our mark")
	}
}

func TestAFileWhoseCheckpointWasCutOffOpens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "data.db"), filepath.Join(dir, "copy.db")
	s := openFile(t, path)
	errFatal(t, s.Update(t.Context(), func(tx store.Tx) error {
		for i := range 300 {
			if err := tx.Put("k", store.Doc{"text": strings.Repeat("x", 1000)}, "o", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	}))
	main, err := os.ReadFile(path)
	errFatal(t, err)
	log, err := os.ReadFile(path + "-wal")
	errFatal(t, err)
	errFatal(t, s.Close())
	after, err := os.ReadFile(path)
	errFatal(t, err)
	if len(main) >= len(after) {
		t.Fatalf("the log was empty: %d and %d bytes", len(main), len(after))
	}
	// The first page has been copied from the log, the others have not.
	errFatal(t, os.WriteFile(copied, append(after[:4096:4096], main[4096:]...), 0o600))
	errFatal(t, os.WriteFile(copied+"-wal", log, 0o600))
	n := 0
	errFatal(t, openFile(t, copied).View(t.Context(), func(tx store.Tx) error {
		for _, err := range tx.Scan("k", nil, store.Page{}, "o") {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	}))
	if n != 300 {
		t.Errorf("%d documents, want 300", n)
	}
}

func TestManyMayOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		path := filepath.Join(t.TempDir(), "data.db")
		done := make(chan error)
		for i := range 8 {
			go func() {
				s, err := store.OpenSQLite(context.Background(), path, store.SQLiteOptions{Indexes: storetest.Indexes()})
				if err == nil {
					err = s.Update(context.Background(), func(tx store.Tx) error {
						return tx.Put("k", store.Doc{}, "o", fmt.Sprint(i))
					})
					err = errors.Join(err, s.Close())
				}
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		n := 0
		errFatal(t, openFile(t, path).View(t.Context(), func(tx store.Tx) error {
			for _, err := range tx.Scan("k", nil, store.Page{}, "o") {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		}))
		if n != 8 {
			t.Errorf("%d documents, want 8", n)
		}
	}
}

func next(d store.Doc) any {
	n, _ := jsonv.Get(d, "n")
	i := 0
	_, _ = fmt.Sscan(fmt.Sprint(n), &i) // absent is 0
	return jsonv.Int(i + 1)
}
