package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	nodes   int      // how many of it are one server; 0: one
	shares  shares   // what they share
	command func(b *bench, at place) []string
}

// A place is where a server is to be.
type place struct {
	address         string
	data            string // a folder
	database, redis string // addresses of what nodes share, if they do
}

// A line is one of a file in the tree.
type line struct{ file, text string }

// theTree, as a folder to build in, stands for the tree that is measured.
const theTree = "<tree>"

// The peers, in the order in which they take their turns.
var peers = []*peer{
	{
		name: "node", title: "Node socket.io 4.8.4", dialect: load.SocketIO,
		command: func(_ *bench, at place) []string { return []string{"node", "peers/node/server.mjs", at.address} },
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
		command: func(b *bench, at place) []string {
			return []string{b.binary("engine"), "-profile", b.profile, at.address}
		},
	},
	goPeer("engine-tls", "Qun: socketio over TLS", load.SocketIO, []string{"./peers/engine"}, "-tls"),
	nodesOfQun("qun-postgres", "Qun: one qun serve on PostgreSQL", 1, shares{postgres: true}),
	nodesOfQun("qun-notify", "Qun: two, on PostgreSQL", 2, shares{postgres: true}),
	nodesOfQun("qun-redis", "Qun: two, on PostgreSQL and Redis", 2, shares{postgres: true, redis: true}),
	{
		name: "node-redis", title: "Node: two, redis-adapter 8.3.0", dialect: load.SocketIO,
		nodes: 2, shares: shares{redis: true},
		command: func(_ *bench, at place) []string {
			return []string{"node", "peers/node/server.mjs", at.address, at.redis}
		},
	},
}

// qunServe is the whole chat, perhaps without a line of it.
func qunServe(name, title string, without *line) *peer {
	return &peer{
		name: name, title: title, dialect: load.SocketIO, build: []string{"-C", theTree, "./cmd/qun"}, without: without,
		command: func(b *bench, at place) []string { return b.serve(name, at) },
	}
}

// serve is how the chat is started, whatever the peer is called.
func (b *bench) serve(binary string, at place) []string {
	return []string{
		b.binary(binary), "serve", "--listen", at.address, "--data", at.data,
		"--limit-messages", "0", "--limit-handshakes", "0", "--limit-sockets", "0",
	}
}

// goPeer is a program of one package that takes an address after its flags.
func goPeer(name, title string, dialect *load.Dialect, build []string, flags ...string) *peer {
	return &peer{name: name, title: title, dialect: dialect, build: build, command: func(b *bench, at place) []string {
		return append(append([]string{b.binary(name)}, flags...), at.address)
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

// A server is a peer that runs, in one process or in several.
type server struct {
	nodes  []*node
	beside []io.Closer // what they share
}

// A node is one of its processes.
type node struct {
	address netip.AddrPort
	cmd     *exec.Cmd
	said    *bytes.Buffer
	ended   chan error
}

// start starts a peer on the given cores with a folder for its data, and waits until it accepts connections.
func (b *bench) start(p *peer, cores *unix.CPUSet, data string) (s *server, err error) {
	s = &server{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	at := place{data: data}
	if err := machine.On(cores, func() error { return s.share(p.shares, &at) }); err != nil {
		return s, fmt.Errorf("start what %s needs: %w", p.name, err)
	}
	for i := range max(p.nodes, 1) {
		if i > 0 {
			at.data = filepath.Join(data, fmt.Sprint(i))
		}
		if err := s.add(b, p, cores, at); err != nil {
			return s, err
		}
	}
	return s, nil
}

// add starts one more process.
func (s *server) add(b *bench, p *peer, cores *unix.CPUSet, at place) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	at.address = address.String()
	args := p.command(b, at)
	n := &node{address: address, cmd: exec.Command(args[0], args[1:]...), said: new(bytes.Buffer), ended: make(chan error, 1)}
	n.cmd.Stdout, n.cmd.Stderr, n.cmd.Env = n.said, n.said, machine.Without(os.Environ())
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := machine.Start(n.cmd, cores); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	s.nodes = append(s.nodes, n)
	go func() { n.ended <- n.cmd.Wait() }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if conn, err := net.Dial("tcp", address.String()); err == nil {
			conn.Close()
			return nil
		}
		select {
		case err := <-n.ended:
			n.ended <- err
			return fmt.Errorf("%s ended: %s", p.name, n.said)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s did not listen within 10 s: %s", p.name, n.said)
}

// stop ends the server, and not gently: what it holds is of no use to anybody.
func (s *server) stop() {
	for _, n := range s.nodes {
		_ = n.cmd.Process.Kill() // it may have ended
		<-n.ended
	}
	for _, one := range s.beside {
		_ = one.Close() // nobody wants it any more
	}
}

// pid is the process of a server that has one.
func (s *server) pid() int { return s.nodes[0].cmd.Process.Pid }

// cpu is the processor time that the server has used.
func (s *server) cpu() (sum time.Duration, err error) {
	for _, n := range s.nodes {
		used, err := machine.CPUTime(n.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// said is what its processes printed.
func (s *server) said() string {
	var all strings.Builder
	for _, n := range s.nodes {
		all.Write(n.said.Bytes())
	}
	return all.String()
}

func freeAddress() (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).AddrPort(), nil
}
