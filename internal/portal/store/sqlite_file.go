package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	lib "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as ours in its header ("PLpo").
const applicationID = 0x504c706f

// minPage is the smallest page of SQLite, and so the smallest file with content.
const minPage = 512

// NotDataFileError says that the file at Path holds something else. It was not
// touched.
type NotDataFileError struct{ Path, Reason string }

func (e *NotDataFileError) Error() string {
	return fmt.Sprintf("%s is not a data file of the portal: %s", e.Path, e.Reason)
}

// NewerFormatError says that a later version of the program wrote the file. It
// was not touched.
type NewerFormatError struct {
	Path             string
	Found, Supported int
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("%s has data format %d, this program reads up to format %d: use a newer version of the program",
		e.Path, e.Found, e.Supported)
}

// FileAccessError says why the file at Path cannot be used.
type FileAccessError struct {
	Path, Reason string
	Err          error
}

func (e *FileAccessError) Error() string { return fmt.Sprintf("data file %s: %s", e.Path, e.Reason) }

func (e *FileAccessError) Unwrap() error { return e.Err }

// inspect decides whether path may be opened, without changing anything and
// without leaving a trace. It never opens the file by itself: closing it again
// would drop the locks that SQLite holds on it elsewhere in this process. What
// it reads of an existing file it reads through SQLite, in a mode that takes no
// lock and makes no side file.
func inspect(path string) (fresh bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, inspectDirectory(path)
	}
	switch {
	case err != nil:
		return false, &FileAccessError{path, err.Error(), err}
	case info.IsDir():
		return false, &FileAccessError{path, "is a directory", nil}
	case !info.Mode().IsRegular():
		return false, &NotDataFileError{path, "it is not a regular file"}
	}
	if err := permitted(path, false); err != nil {
		return false, &FileAccessError{path, "cannot be read: " + err.Error(), err}
	}
	if err := permitted(path, true); err != nil {
		return false, &FileAccessError{path, "cannot be written: " + err.Error(), err}
	}
	if err := inspectDirectory(path); err != nil {
		return false, err
	}
	switch {
	case info.Size() == 0:
		return true, nil
	case info.Size() < minPage:
		// SQLite takes some of these for empty files.
		return false, &NotDataFileError{path, "it is no SQLite database"}
	}
	return false, inspectHeader(path)
}

func inspectDirectory(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &FileAccessError{path, fmt.Sprintf("the directory %s does not exist", dir), err}
	case err != nil:
		return &FileAccessError{path, err.Error(), err}
	case !info.IsDir():
		return &FileAccessError{path, dir + " is not a directory", nil}
	}
	if err := permitted(dir, true); err != nil {
		return &FileAccessError{path, fmt.Sprintf("the directory %s cannot be written: %v", dir, err), err}
	}
	return nil
}

func inspectHeader(path string) (err error) {
	// A checkpoint that is under way, or was cut off by a kill, leaves a header
	// that counts more pages than the file has. The log makes up for that, but
	// here it is not read; writable_schema lets SQLite overlook it.
	c, err := openConn(path, "mode=ro&immutable=1", "writable_schema = ON")
	if err != nil {
		return &FileAccessError{path, err.Error(), err}
	}
	defer func() { err = errors.Join(err, c.close()) }()
	id, err := c.number("PRAGMA application_id")
	switch code(err) {
	case lib.SQLITE_OK:
	case lib.SQLITE_NOTADB:
		return &NotDataFileError{path, "it is no SQLite database"}
	case lib.SQLITE_CORRUPT:
		return &NotDataFileError{path, "it is damaged"}
	}
	if err != nil {
		return &FileAccessError{path, err.Error(), err}
	}
	if id != applicationID {
		return &NotDataFileError{path, "it is a SQLite database of another program"}
	}
	found, err := c.number("PRAGMA user_version")
	if err != nil {
		return &FileAccessError{path, err.Error(), err}
	}
	return c.checkFormat(path, found)
}

// syncDirectory makes the names in the directory of path durable.
func syncDirectory(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(ignoreUnsupported(dir.Sync()), dir.Close())
}
