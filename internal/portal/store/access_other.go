//go:build !unix

package store

// permitted leaves the question to the first use of the file.
func permitted(string, bool) error { return nil }

// ignoreUnsupported drops the result of syncing a directory, which the file
// systems of these platforms neither offer nor need.
func ignoreUnsupported(error) error { return nil }
