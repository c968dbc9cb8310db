package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"qun/bench/load"
	"qun/bench/machine"
)

// A peer is a server that is measured.
type peer struct {
	name    string
	title   string
	dialect *load.Dialect
	build   []string // the Go package, as arguments of go build; nil where there is nothing to build
	without *line    // of the tree, that is left out when it is built
	command func(b *bench, address, data string) []string
}

// A line is one of a file in the tree.
type line struct{ file, text string }

// theTree, as a folder to build in, stands for the tree that is measured.
const theTree = "<tree>"

// The peers, in the order in which they take their turns.
var peers = []*peer{
	{
		name: "node", title: "Node socket.io 4.8.4", dialect: load.SocketIO,
		command: func(_ *bench, address, _ string) []string { return []string{"node", "peers/node/server.mjs", address} },
	},
	goPeer("seed", "Qun: examples/seed", load.SocketIO, []string{"-C", theTree, "./examples/seed"}, "-listen"),
	qunServe("qun", "Qun: qun serve, durable", nil),
	qunServe("qun-nosearch", "Qun: qun serve, search off", &line{"internal/store/store.go", "s.stage.index = s.indexer"}), // nobody tells the indexer of what is written
	goPeer("floor", "floor: all pending in one write", load.SocketIO, []string{"./peers/floor"}),
	goPeer("floor-each", "floor: a write per message", load.SocketIO, []string{"./peers/floor"}, "-each"),
	goPeer("zishang520", "zishang520/socket.io 3.0.2", load.SocketIO, []string{"./peers/zishang520"}),
	goPeer("centrifuge", "centrifuge 0.40.1", load.Centrifuge, []string{"./peers/centrifuge"}),
	{
		name: "engine", title: "Qun: socketio", dialect: load.SocketIO, build: []string{"./peers/engine"},
		command: func(b *bench, address, _ string) []string {
			return []string{b.binary("engine"), "-profile", b.profile, address}
		},
	},
	goPeer("engine-tls", "Qun: socketio over TLS", load.SocketIO, []string{"./peers/engine"}, "-tls"),
}

// qunServe is the whole chat, perhaps without a line of it.
func qunServe(name, title string, without *line) *peer {
	return &peer{
		name: name, title: title, dialect: load.SocketIO, build: []string{"-C", theTree, "./cmd/qun"}, without: without,
		command: func(b *bench, address, data string) []string {
			return []string{
				b.binary(name), "serve", "--listen", address, "--data", data,
				"--limit-messages", "0", "--limit-handshakes", "0", "--limit-sockets", "0",
			}
		},
	}
}

// goPeer is a program of one package that takes an address after its flags.
func goPeer(name, title string, dialect *load.Dialect, build []string, flags ...string) *peer {
	return &peer{name: name, title: title, dialect: dialect, build: build, command: func(b *bench, address, _ string) []string {
		return append(append([]string{b.binary(name)}, flags...), address)
	}}
}

func (b *bench) binary(name string) string { return filepath.Join(b.results, "bin", name) }

// prepare builds what the peers need.
func (b *bench) prepare() error {
	if err := errors.Join(b.noteRevision(), b.forgetMembers()); err != nil {
		return err
	}
	for _, p := range append(b.peers[:len(b.peers):len(b.peers)], membersTool) {
		if p.build == nil {
			if _, err := os.Stat("peers/node/node_modules"); err != nil {
				if err := b.do("npm", "ci", "--prefix", "peers/node"); err != nil {
					return err
				}
			}
			continue
		}
		if err := b.compile(p); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) compile(p *peer) error {
	out, err := filepath.Abs(b.binary(p.name))
	if err != nil {
		return err
	}
	args, pkg := []string{"build"}, p.build
	if pkg[0] == "-C" {
		args, pkg = append(args, "-C", b.tree), pkg[2:]
	}
	if p.without != nil {
		overlay, err := b.overlay(out, p.without)
		if err != nil {
			return fmt.Errorf("build %s: %w", p.name, err)
		}
		args = append(args, "-overlay", overlay)
	}
	return b.do("go", append(append(args, "-o", out), pkg...)...)
}

// overlay writes, beside the binary, what go build takes instead of a file: the same without a line.
func (b *bench) overlay(binary string, without *line) (name string, err error) {
	original, err := filepath.Abs(filepath.Join(b.tree, without.file))
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if bytes.Count(source, []byte(without.text)) != 1 {
		return "", fmt.Errorf("%s has not once the line %q that is to be left out", original, without.text)
	}
	changed := binary + ".source"
	if err := os.WriteFile(changed, bytes.Replace(source, []byte(without.text), nil, 1), 0o644); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	name = binary + ".overlay.json"
	return name, os.WriteFile(name, overlay, 0o644)
}

// do runs a command on all cores.
func (b *bench) do(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = os.Stderr, os.Stderr, machine.Without(os.Environ())
	if err := machine.Start(cmd, &b.cores.All); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s %q: %w", name, args, err)
	}
	return nil
}

// A server is a peer that runs.
type server struct {
	address netip.AddrPort
	cmd     *exec.Cmd
	said    *bytes.Buffer
	ended   chan error
}

// start starts a peer on the given cores with a folder for its data, and waits until it accepts connections.
func (b *bench) start(p *peer, cores *unix.CPUSet, data string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := p.command(b, address.String(), data)
	s := &server{address: address, cmd: exec.Command(args[0], args[1:]...), said: new(bytes.Buffer), ended: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Env = s.said, s.said, machine.Without(os.Environ())
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := machine.Start(s.cmd, cores); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if conn, err := net.Dial("tcp", address.String()); err == nil {
			conn.Close()
			return s, nil
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("%s ended: %s", p.name, s.said)
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s did not listen within 10 s: %s", p.name, s.said)
}

// stop ends the server, and not gently: what it holds is of no use to anybody.
func (s *server) stop() {
	if err := s.cmd.Process.Kill(); errors.Is(err, os.ErrProcessDone) {
		return
	}
	<-s.ended
}

func freeAddress() (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).AddrPort(), nil
}
