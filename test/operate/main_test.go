// Package operate_test runs the real program as its operators do: with certificates of an authority, behind proxies, and with
// the files of deploy/.
package operate_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// scratch holds the built program.
var scratch string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "qun-operate-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	return m.Run()
}

var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("QUN_BIN"); path != "" {
		return path, nil
	}
	path := filepath.Join(scratch, "qun")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, "qun/cmd/qun")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build qun: %w\n%s", err, out)
	}
	return path, nil
})

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{}
	said *notes
}

// notes is what a process wrote.
type notes struct {
	mu   sync.Mutex // guards below
	text []byte
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = append(n.text, b...)
	return len(b), nil
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return string(n.text)
}

// startQun runs `qun serve` until the test ends.
func startQun(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return startProcess(t, path, append([]string{"serve", "--data", t.TempDir()}, args...)...)
}

// startProcess runs a program until the test ends, and then stops it politely.
func startProcess(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, args...), gone: make(chan struct{}), said: &notes{}} //nolint:noctx // the cleanup ends it
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // however it ended
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(os.Interrupt)
		select {
		case <-p.gone:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.gone
			t.Errorf("%s did not stop; it said:\n%s", path, p.said)
		}
	})
	return p
}

// answers waits until a URL is answered.
func (p *process) answers(t *testing.T, client *http.Client, url string) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		var w *http.Response
		r, bad := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if bad != nil {
			t.Fatal(bad)
		}
		if w, err = client.Do(r); err == nil {
			w.Body.Close()
			if w.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("status %s", w.Status)
		}
		select {
		case <-p.gone:
			t.Fatalf("it ended:\n%s", p.said)
		default:
		}
	}
	t.Fatalf("%s is not answered: %v; it said:\n%s", url, err, p.said)
}

// says waits until the process has written something.
func (p *process) says(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.said.String(), what); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("want %q; it said:\n%s", what, p.said)
		}
	}
}

// freeAddress is an address of loopback where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
