// Package redistest runs a Redis server for tests, from the program that is on the machine.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// ErrNone says that the machine has no Redis.
var ErrNone = errors.New("no Redis here: redis-server is not in the PATH (on Debian: apt-get install redis-server)")

// Server is a server on a loopback port with a folder of its own, which keeps nothing on disk. One goroutine at a time uses it.
type Server struct {
	program string
	dir     string
	port    int
	args    []string

	// While it runs.
	keeper *exec.Cmd      // a shell that ends the server when the test ends, however that comes
	hold   io.WriteCloser // the keeper's input: its end is the sign
}

// Start makes a server, with further arguments for it if there are any, and waits until it answers. Close removes it.
func Start(args ...string) (s *Server, err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNone
	}
	s = &Server{program: program, args: args}
	if s.dir, err = os.MkdirTemp("", "qun-redis-"); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err == nil {
		err = s.Run()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// For starts a server that lives as long as the test. A machine without Redis skips the test, unless everything is required
// of it (QUN_REQUIRE_ALL=1).
func For(t testing.TB, args ...string) *Server {
	t.Helper()
	s, err := Start(args...)
	if errors.Is(err, ErrNone) && os.Getenv("QUN_REQUIRE_ALL") != "1" {
		t.Skip(err)
	}
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

// keep starts the server, notes its id, and waits for the end of the input.
const keep = `"$0" "$@" & echo $! > pid; read -r end; kill -KILL $! 2>/dev/null; wait`

// Run runs the server, again and empty if it was killed, at the same port, and waits until it answers.
func (s *Server) Run() (err error) {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append([]string{
		"-c", keep, s.program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir,
	}, s.args...)
	s.keeper = exec.CommandContext(context.Background(), "/bin/sh", args...)
	s.keeper.Dir, s.keeper.Stdout, s.keeper.Stderr = s.dir, log, log
	if s.hold, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	if err := s.keeper.Start(); err != nil {
		return err
	}
	for range 300 {
		if s.answers() {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	said, _ := os.ReadFile(filepath.Join(s.dir, "log")) // empty if it said nothing
	return fmt.Errorf("the server does not answer:\n%s", said)
}

// answers says whether the server says PONG.
func (s *Server) answers() bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", s.Addr())
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	answer := make([]byte, 5)
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return false
	}
	_, err = io.ReadFull(conn, answer)
	return err == nil && string(answer) == "+PONG"
}

func freePort() (int, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// Addr is where the server listens, host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the same as an address for clients.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Kill kills the server. Run brings it back, empty.
func (s *Server) Kill() error {
	if s.hold == nil {
		return nil
	}
	err := s.hold.Close()
	_ = s.keeper.Wait() // what it says of a server that was killed is no news
	s.hold = nil
	return err
}

// Pause stops the server where it is: connections stay and nobody answers. Resume lets it go on.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume is the end of a Pause.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig os.Signal) error {
	note, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(note[:len(note)-1]))
	if err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Signal(sig)
}

// Close ends the server and removes its folder.
func (s *Server) Close() error { return errors.Join(s.Kill(), os.RemoveAll(s.dir)) }
