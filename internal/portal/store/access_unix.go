//go:build unix

package store

import "golang.org/x/sys/unix"

// permitted asks the system whether this process may read or write path,
// without opening it.
func permitted(path string, write bool) error {
	mode := uint32(unix.R_OK)
	if write {
		mode = unix.W_OK
	}
	return unix.Access(path, mode)
}

// ignoreUnsupported passes on the result of syncing a directory.
func ignoreUnsupported(err error) error { return err }
