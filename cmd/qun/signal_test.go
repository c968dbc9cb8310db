//go:build unix

package main_test

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// process runs this test binary as qun, see TestMain.
type process struct {
	cmd  *exec.Cmd
	url  string
	exit chan error
}

func startProcess(t *testing.T) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(t.Context(), self, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()), exit: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), beQun+"=1")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if url := regexp.MustCompile(`http://\S+`).FindString(lines.Text()); url != "" {
				found <- url
			}
		}
		p.exit <- p.cmd.Wait()
	}()
	select {
	case p.url = <-found:
	case err := <-p.exit:
		t.Fatalf("it ended: %v", err)
	case <-time.After(patience):
		t.Fatal("it does not start")
	}
	return p
}

// ends waits for the end.
func (p *process) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.exit:
		return err
	case <-time.After(patience):
		t.Fatal("it does not end")
		return nil
	}
}

func TestASignalStopsItInOrder(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		p := startProcess(t)
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := p.ends(t); err != nil {
			t.Errorf("%v: it ended with %v", signal, err)
		}
	}
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	p := startProcess(t)
	r, err := http.Get(p.url + "/socket.io/?EIO=4&transport=polling") // a client that does not poll: the drain waits a moment for it
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	failed, ok := errors.AsType[*exec.ExitError](p.ends(t))
	if !ok {
		t.Fatal("it ended in order")
	}
	if status, ok := failed.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", failed)
	}
}
