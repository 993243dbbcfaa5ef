//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package portal

import (
	"os"
	"syscall"
)

// alone takes the lock for this process alone, if nobody holds it.
func alone(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil //nolint:gosec // a descriptor is small
}

// share holds the lock together with others. A portal that starts at the very moment
// between the two may take deliveries over that are this one's; they are sent twice
// then, with the same id.
func share(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_SH) //nolint:gosec // a descriptor is small
}
