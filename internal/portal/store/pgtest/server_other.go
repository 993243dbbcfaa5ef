//go:build !unix

package pgtest

import "context"

// server is not to be had here.
type server struct{ url string }

func start(context.Context) (*server, error) { return nil, errNoBinaries }

func (*server) stop() {}

func (*server) restart(context.Context) error { return errNoBinaries }
