//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
)

// server is a PostgreSQL server on a socket in a directory of its own. A shell
// holds it: when the test binary ends, however it does, the shell's standard
// input ends, and it takes the server and the directory with it.
type server struct {
	dir, bin, url string
	who           *syscall.Credential
	process       *exec.Cmd
	hold          io.Closer
	out           *output
}

// The first line runs the server, which must not read the shell's input; the rest
// waits for the end of the input. INT is a fast shutdown, QUIT one like a crash.
const script = `"$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB -c autovacuum=on </dev/null &
pid=$!
read -r how
kill -"${how:-INT}" $pid
wait $pid
[ -n "$how" ] || rm -rf "$2"
exit 0`

func start(ctx context.Context) (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("/tmp", "pgtest")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, bin: bin, url: "postgres://postgres@/postgres?host=" + dir}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *server) create(ctx context.Context) error {
	if os.Geteuid() == 0 {
		// The server refuses to run as root.
		var err error
		if s.who, err = somebody(); err != nil {
			return err
		}
		if err := os.Chown(s.dir, int(s.who.Uid), int(s.who.Gid)); err != nil {
			return err
		}
	}
	s.out = &output{}
	initdb := s.command(ctx, filepath.Join(s.bin, "initdb"), "-D", s.dir+"/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	if err := initdb.Run(); err != nil {
		return s.out.wrap(fmt.Errorf("initdb: %w", err))
	}
	return s.run(ctx)
}

func (s *server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(context.WithoutCancel(ctx), name, args...)
	c.Dir = s.dir
	c.Stdout, c.Stderr = s.out, s.out
	c.WaitDelay = 10 * time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.who}
	return c
}

// run starts the server and waits until it answers.
func (s *server) run(ctx context.Context) error {
	s.process = s.command(ctx, "/bin/sh", "-c", script, "sh", filepath.Join(s.bin, "postgres"), s.dir)
	// The shell's output must not keep its end from being noticed.
	in, err := s.process.StdinPipe()
	if err != nil {
		return err
	}
	s.hold = in
	if err := s.process.Start(); err != nil {
		return err
	}
	for range 600 {
		if err = execute(s.url, "SELECT 1"); err == nil {
			return nil
		}
		select {
		case <-clock.Real().After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.out.wrap(fmt.Errorf("the test server does not answer: %w", err))
}

// stop ends the server and removes what it kept.
func (s *server) stop() {
	_ = s.hold.Close()
	_ = s.process.Wait()
}

// restart lets the server crash and come back.
func (s *server) restart(ctx context.Context) error {
	if w, ok := s.hold.(io.Writer); ok {
		if _, err := io.WriteString(w, "QUIT\n"); err != nil {
			return err
		}
	}
	if err := s.process.Wait(); err != nil {
		return err
	}
	return s.run(ctx)
}

// binaries is the directory of the newest server programs.
func binaries() (string, error) {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	more, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	for i := len(more) - 1; i >= 0; i-- {
		dirs = append(dirs, more[i])
	}
	for _, dir := range dirs {
		if present(dir, "initdb") && present(dir, "postgres") {
			return dir, nil
		}
	}
	return "", errNoBinaries
}

func present(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

// somebody is a user without rights of his own.
func somebody() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("the PostgreSQL server does not run as root, and there is no user postgres or nobody")
}
