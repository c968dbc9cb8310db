package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// full says whether the long form runs (make faults), or a short one that finds the coarse faults in seconds.
var full = os.Getenv("QUN_FAULTS") == "full"

// server is the real program on a port and a folder of its own.
type server struct {
	url      string
	args     []string
	data     string // its folder
	database string // its address; empty for a file in the folder

	// Owned by the test's goroutine.
	cmd  *exec.Cmd
	said *tail
	gone chan struct{} // closed when the process has ended
}

// startServer builds the program, starts it without limits, and stops it with the test.
func startServer(t *testing.T, args ...string) *server { return startServerOn(t, "", args...) }

// startServerOn is the same on a PostgreSQL database, unless its address is empty.
func startServerOn(t *testing.T, database string, args ...string) *server {
	t.Helper()
	return startServerIn(t, t.TempDir(), database, args...)
}

// startServerIn is the same with a folder that is there already.
func startServerIn(t *testing.T, data, database string, args ...string) *server {
	t.Helper()
	program := programUnderTest(t)
	address := freeAddress(t)
	s := &server{
		url: "http://" + address, data: data, database: database,
		args: append([]string{
			program, "serve", "--listen", address, "--data", data,
			"--limit-messages", "0", "--limit-handshakes", "0", "--limit-sockets", "0",
		}, args...),
	}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

var (
	buildOnce sync.Once
	built     string
	errBuild  error
)

// programUnderTest is $QUN_BIN, or the program as it is in the tree, built once. The race detector of the test does not reach
// into it: what is tested here is the binary that people run.
func programUnderTest(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("QUN_BIN"); path != "" {
		return path
	}
	buildOnce.Do(func() { built, errBuild = buildProgram() })
	if errBuild != nil {
		t.Fatal(errBuild)
	}
	return built
}

func buildProgram() (string, error) {
	path := filepath.Join(scratch, "qun")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, "qun/cmd/qun")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build qun: %w\n%s", err, out)
	}
	return path, nil
}

// launch starts the process and does not wait for it.
func (s *server) launch(t *testing.T) {
	t.Helper()
	s.said = &tail{}
	// Not CommandContext: the test decides when it dies, and how.
	s.cmd = exec.Command(s.args[0], s.args[1:]...) //nolint:noctx
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	s.cmd.Env = append(os.Environ(), "QUN_DATABASE="+s.database)
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", s.args[0], err)
	}
	cmd, gone := s.cmd, make(chan struct{})
	s.gone = gone
	go func() {
		defer close(gone)
		_ = cmd.Wait() // however it ended, stop and kill look at what it said
	}()
}

// start starts the process and waits until it answers.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	s.await(t)
}

// await waits until a process that was launched answers.
func (s *server) await(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); pause(10 * time.Millisecond) {
		if s.healthy() {
			return
		}
		if s.ended() {
			break
		}
	}
	t.Fatalf("the server does not answer; it said:\n%s", s.said)
}

func (s *server) healthy() bool {
	body, err := s.get("/healthz")
	return err == nil && body != ""
}

func (s *server) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut does: it runs nothing more.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("kill the server: %v", err)
	}
	<-s.gone
}

// stop ends it politely, and insists that it ends well.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.ended() {
		return
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Errorf("stop the server: %v", err)
	}
	select {
	case <-s.gone:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.gone
		t.Errorf("the server did not stop within 15 s; it said:\n%s", s.said)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 && !t.Failed() {
		t.Errorf("the server ended with %d; it said:\n%s", code, s.said)
	}
}

// check lets the program look at what it keeps: every count and every number must be as the model says.
func (s *server) check(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.args[0], "check", "--data", s.data)
	cmd.Env = append(os.Environ(), "QUN_DATABASE="+s.database)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("qun check: %v\n%s", err, said)
	}
}

// get fetches a page of the server.
func (s *server) get(path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return "", err
	}
	response, err := web.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s", path, response.Status)
	}
	return string(body), err
}

// web keeps no connection: it would count among the server's descriptors.
var web = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// pause lets time pass in a test against a real process, whose clock cannot be turned.
func pause(d time.Duration) { <-time.After(d) }

// tail keeps the last 8 KB written to it.
type tail struct {
	mu  sync.Mutex // guards below
	buf bytes.Buffer
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	w.buf.Next(max(0, w.buf.Len()-8<<10))
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}
