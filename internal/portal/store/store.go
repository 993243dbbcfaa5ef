// Package store keeps the portal's documents. It knows no business rule: kinds,
// keys and JSON objects in, JSON objects out, in serializable transactions.
// [Memory], [SQLite] and [Postgres] implement it behind one conformance suite.
package store

import (
	"context"
	"errors"
	"iter"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Errors that callers tell apart.
var (
	// ErrNotFound is what [Tx.Get] and [Tx.Delete] return for a key that is not
	// there. Callers turn it into the fault that names the thing.
	ErrNotFound = errors.New("document not found")
	// ErrView refuses a write inside [Store.View].
	ErrView = errors.New("a view cannot write")
	// ErrDone refuses the use of a transaction after its function returned.
	ErrDone = errors.New("the transaction is over")
	// ErrClosed refuses new transactions once [Store.Close] was called.
	ErrClosed = errors.New("the store is closed")
	// ErrCursor says that [Page.After] is not a cursor.
	ErrCursor = errors.New("not a cursor of this store")
)

// Kind names a family of documents, e.g. "blueprint" or "entity".
type Kind string

// Doc is a stored document. It is shared and must never be changed in place:
// clone before editing ([jsonv.CloneObject]).
type Doc = jsonv.Object

// Store runs transactions over documents.
type Store interface {
	// View runs f on one consistent snapshot; writes in f are an error.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a serializable transaction and retries it on conflict,
	// so f must have no effect but through tx. When Update returns nil the
	// change is durable; when f returns an error, which Update then returns
	// unchanged, or panics, nothing of it remains. The updates of one handle run
	// one at a time: f must be short and must not call Update itself. Once ctx has ended, the
	// methods of tx answer with its error.
	Update(ctx context.Context, f func(Tx) error) error
	// Close waits for running transactions and releases the storage.
	Close() error
}

// Tx reads and writes documents. A key has one or more parts and always starts
// with the organization, so tenancy cannot be forgotten. A Tx is used by one
// goroutine and not after its function returned.
type Tx interface {
	Get(k Kind, key ...string) (Doc, error)
	// Put writes the whole document and takes it over: the caller must not
	// change it, or anything in it, afterwards. Values outside the closed set
	// of jsonv and text that is not UTF-8 are refused.
	Put(k Kind, d Doc, key ...string) error
	// Delete removes one document; no other document goes with it.
	Delete(k Kind, key ...string) error
	// Scan yields the documents whose key starts with prefix (whole parts) and
	// that where admits, ordered by the text of their "createdAt", then by key.
	// Texts compare byte by byte; a "createdAt" that is missing or no string
	// counts as "". Writes of the same transaction are seen up to the start of
	// the scan; writing while a scan runs is allowed. An error ends the scan.
	Scan(k Kind, where Where, page Page, prefix ...string) iter.Seq2[Row, error]
	// Changed lists the documents that were put or deleted, each once and in no
	// order, between the state of since and the state that this transaction sees
	// without its own writes; now is the mark of the latter. No kinds are all
	// kinds. It may name a document too many, never one too few. known is false
	// when the store cannot tell: since is "", from another life of the store,
	// newer than this transaction, or too long ago.
	Changed(since Mark, kinds ...Kind) (changes []Change, now Mark, known bool, err error)
}

// Mark names a committed state of a store; "" names none.
type Mark string

// Change names a document that was put or deleted.
type Change struct {
	Kind Kind
	Key  []string
}

// Row is one document of a scan together with its key. Both are shared and must
// not be changed in place.
type Row struct {
	Key []string
	Doc Doc
}

// Page bounds a scan. The zero value is everything.
type Page struct {
	// After continues behind the row whose [Cursor] it is, whether or not that
	// row still exists.
	After string
	// Limit is the most rows to yield; 0 is no limit.
	Limit int
	// Few tells how many rows a caller means to take who decides for himself
	// when to stop; 0 is no idea. A store then rather walks in order than gathers
	// the many documents that a wide condition admits.
	Few int
}

// wide is the most index entries that a scan of this page gathers and sorts.
// Walking in order costs a page of n rows some n·N/c of N documents when c of them
// are candidates, gathering costs c: about even near this bound.
func (p Page) wide() int {
	n := max(p.Limit, p.Few)
	if n == 0 {
		return maxCandidates
	}
	return min(max(minWide, wideFactor*n), maxCandidates)
}

// Where selects documents. Match decides alone; Equals may name conditions that
// every match fulfils, so that a store can use its index and skip the rest. A
// nil Where admits everything.
type Where interface {
	Match(Doc) bool
	Equals() []Equal
}

// Equal is the condition that the index entry named Path of a document has one
// of the values (see [Index]), or that one of Or holds. Several Equals are joined
// by "and".
type Equal struct {
	Path   string
	Values []string
	Or     []Equal
}

// KeyPath is a Path that every document has without an index: its value is the
// one part of the key that follows the prefix of the scan.
const KeyPath = ""

// Index says which entries of a document of one kind the store indexes: pairs of
// a path and a text. A path may have several values. It must be a pure function.
type Index func(Doc) []Entry

// Entry is one indexed value of a document.
type Entry struct{ Path, Value string }

// Indexes are given when a store is opened; kinds that are absent have no index.
type Indexes map[Kind]Index

// Wrote reports whether tx has already put or deleted something, which
// [Tx.Changed] leaves out. It is true for a transaction that cannot tell.
func Wrote(tx Tx) bool {
	w, ok := tx.(interface{ Wrote() bool })
	return !ok || w.Wrote()
}

// Stats is what an implementation may tell about itself for tests of plans:
// how many documents its scans have looked at since it was opened.
type Stats interface{ Examined() int64 }
