// Package pgtest runs a PostgreSQL server for tests, from the programs that are on the machine.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ErrNone says that the machine has no PostgreSQL.
var ErrNone = errors.New("no PostgreSQL here: neither initdb in the PATH nor in /usr/lib/postgresql/*/bin (on Debian: apt-get install postgresql)")

// Users of a server.
const (
	User     = "qun"     // may do everything; needs no password
	Guarded  = "guarded" // may log in by Password, and has no rights; made by Start
	Password = "open-sesame"
)

// Config says what to start.
type Config struct {
	Durable bool // what is committed survives the machine; else it survives the server, which is much quicker
}

// Server is a server on a loopback port with a folder of its own. One goroutine at a time uses it.
type Server struct {
	programs string
	dir      string
	port     int
	durable  bool
	owner    *owner // who runs it, for it refuses to be run by root; nil: who runs the test

	// While it runs.
	keeper *exec.Cmd      // a shell that ends the server when the test ends, however that comes
	hold   io.WriteCloser // the keeper's input: its end is the sign
}

// Start makes a server and waits until it answers. Close removes it.
func Start(cfg Config) (*Server, error) {
	programs, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs, durable: cfg.Durable}
	if s.owner, err = findOwner(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "qun-postgres-"); err != nil {
		return nil, err
	}
	if err = s.make(); err == nil {
		err = s.Run()
	}
	if err == nil {
		err = s.psql(`CREATE ROLE ` + Guarded + ` LOGIN PASSWORD '` + Password + `'`)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// For starts a server that lives as long as the test. A machine without PostgreSQL skips the test, unless everything is
// required of it (QUN_REQUIRE_ALL=1).
func For(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	Need(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Need skips the test or fails it when a server could not be started.
func Need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrNone) && os.Getenv("QUN_REQUIRE_ALL") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// find is the folder of the newest server's programs.
func find() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	if found, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(found))
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, nil
		}
	}
	return "", ErrNone
}

func version(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder))) // 0 for what is no version
	return n
}

// settings are those of a server that many tests share.
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
synchronous_commit = off
logging_collector = off
dynamic_shared_memory_type = mmap
`

// make makes the server's folder.
func (s *Server) make() error {
	if err := s.owner.give(s.dir); err != nil {
		return err
	}
	if err := s.run("initdb", "--pgdata="+s.data(), "--username="+User, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	text := settings
	if !s.durable {
		text += "fsync = off\nfull_page_writes = off\n"
	}
	if err := appendTo(filepath.Join(s.data(), "postgresql.conf"), text); err != nil {
		return err
	}
	rules := filepath.Join(s.data(), "pg_hba.conf")
	rest, err := os.ReadFile(rules)
	if err != nil {
		return err
	}
	return os.WriteFile(rules, append([]byte("host all "+Guarded+" 127.0.0.1/32 scram-sha-256\n"), rest...), 0o600)
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command is a program of the server, run by its owner.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(context.Background(), filepath.Join(s.programs, name), args...)
	command.Dir = s.dir
	command.Env = append(os.Environ(), "LC_ALL=C")
	s.owner.run(command)
	return command
}

func (s *Server) run(name string, args ...string) error {
	if output, err := s.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}

func (s *Server) psql(query string) error {
	return s.run("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command="+query, s.URL("postgres"))
}

// keep starts the server and waits for the end of the input.
const keep = `"$0" "$@" & read -r end; kill -QUIT $!; wait`

// Run runs the server, again if it was killed, at the same port, and waits until it answers.
func (s *Server) Run() (err error) {
	if s.port == 0 {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.keeper = s.command("postgres")
	s.keeper.Path, s.keeper.Args = "/bin/sh", []string{"sh", "-c", keep, s.keeper.Path, "-D", s.data(), "-p", strconv.Itoa(s.port)}
	s.keeper.Stdout, s.keeper.Stderr = log, log
	if s.hold, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	if err := s.keeper.Start(); err != nil {
		return err
	}
	for range 300 {
		if s.run("pg_isready", "--quiet", "--host=127.0.0.1", "--port="+strconv.Itoa(s.port)) == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	said, _ := os.ReadFile(filepath.Join(s.dir, "log")) // empty if it said nothing
	return fmt.Errorf("the server does not answer:\n%s", said)
}

func freePort() (int, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// CreateDatabase makes one more, in UTF-8.
func (s *Server) CreateDatabase(name string) error {
	return s.psql(`CREATE DATABASE ` + name + ` ENCODING 'UTF8' TEMPLATE template0`)
}

// URL is the address of one of its databases.
func (s *Server) URL(database string) string { return s.URLOf(User, database) }

// URLOf is the same for another user, with its password after a colon.
func (s *Server) URLOf(user, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", user, s.port, database)
}

// Kill kills all processes of the server at once, and no more. Run brings it back.
func (s *Server) Kill() error {
	first, err := s.pid()
	if err != nil {
		return err
	}
	all := append([]int{first}, children(first)...)
	for _, pid := range all {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill() // it may have ended
		}
	}
	for _, pid := range all {
		for alive(pid) {
			time.Sleep(time.Millisecond)
		}
	}
	return s.end()
}

// end ends the server, if it runs, and its keeper.
func (s *Server) end() error {
	if s.hold == nil {
		return nil
	}
	err := s.hold.Close()
	_ = s.keeper.Wait() // what it says of a server that was killed is no news
	s.hold = nil
	return err
}

// pid is the server's first process, as it noted itself.
func (s *Server) pid() (int, error) {
	note, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(note), "\n")
	return strconv.Atoi(first)
}

// children are the processes of one; none where the kernel does not tell: they end by themselves, a little later.
func children(of int) (pids []int) {
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", of, of))
	for _, field := range strings.Fields(string(list)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether a process is more than an entry that waits to be collected.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// Close ends the server and removes its folder.
func (s *Server) Close() error { return errors.Join(s.end(), os.RemoveAll(s.dir)) }
