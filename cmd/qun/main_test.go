package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/config"
	"qun/internal/store"
	"qun/internal/store/fresh"

	qun "qun/cmd/qun"
)

// patience is how long a test waits for what must come: a busy machine may take its time.
const patience = 30 * time.Second

// beQun is set for processes of this binary that are to be qun.
const beQun = "QUN_TEST_BE_QUN"

// TestMain sees to it that nothing of a stopped server is left running.
func TestMain(m *testing.M) {
	if os.Getenv(beQun) != "" {
		os.Exit(qun.Run(qun.UntilSignal(), os.Args[1:], qun.ThisMachine()))
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before && code == 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines before, %d after:\n", before, n)
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// notes is what a program wrote, readable while it writes.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// program is a run of qun inside the test.
type program struct {
	url      string
	urls     []string
	out, err *notes

	stop context.CancelFunc
	code chan int
}

// machine is a computer with one private and one public address, where every listener is on loopback.
func machine(out, err *notes, env map[string]string) qun.Machine {
	return qun.Machine{
		Stdout: out, Stderr: err,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Interfaces: func() ([]config.Interface, error) {
			return []config.Interface{
				{Name: "lo", Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}},
				{Name: "eth0", Addresses: []netip.Addr{netip.MustParseAddr("192.168.77.5"), netip.MustParseAddr("203.0.113.5")}},
			}, nil
		},
		Resolve: func(host string) ([]netip.Addr, error) { return nil, fmt.Errorf("no such host %s", host) },
		Listen: func(ctx context.Context, network, address string) (net.Listener, error) {
			if ip, err := netip.ParseAddrPort(address); err != nil || !ip.Addr().IsLoopback() {
				network, address = "tcp4", "127.0.0.1:0" // no traffic leaves the machine
			}
			return new(net.ListenConfig).Listen(ctx, network, address)
		},
	}
}

// start runs `qun serve` on a free port until the test ends. It is stopped in order, which is part of every test.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return startWith(t, nil, args...)
}

func startWith(t *testing.T, change func(*qun.Machine), args ...string) *program {
	t.Helper()
	all := []string{"serve"}
	if !contains(args, "--listen") && !contains(args, "--lan") {
		all = append(all, "--listen", "127.0.0.1:0")
	}
	if !contains(args, "--data") {
		all = append(all, "--data", fresh.Dir(t))
	}
	p := &program{out: &notes{}, err: &notes{}, code: make(chan int, 1)}
	started := make(chan []string, 1)
	m := machine(p.out, p.err, nil)
	m.Started = func(urls []string) { started <- urls }
	if change != nil {
		change(&m)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() { p.code <- qun.Run(ctx, append(all, args...), m) }()
	t.Cleanup(func() { p.end(t) })
	select {
	case p.urls = <-started:
		p.url = p.urls[0]
	case code := <-p.code:
		p.code <- code
		t.Fatalf("it ended with %d: %s", code, p.err)
	case <-time.After(patience):
		t.Fatalf("it does not start: %s", p.err)
	}
	return p
}

// end stops the program and wants it to end well. Ending twice is once.
func (p *program) end(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case code := <-p.code:
		p.code <- code
		if code != 0 && !t.Failed() {
			t.Errorf("it ended with %d: %s", code, p.err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

// run runs qun to its end, which must come by itself.
func run(t *testing.T, env map[string]string, args ...string) (code int, out, err string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o, e := &notes{}, &notes{}
	m := machine(o, e, env)
	m.Started = func([]string) { cancel() }
	code = qun.Run(ctx, args, m)
	return code, o.String(), e.String()
}

func contains(args []string, flag string) bool {
	for _, arg := range args {
		if arg == flag || strings.HasPrefix(arg, flag+"=") {
			return true
		}
	}
	return false
}

// silent is a notifier for a chat that nobody listens to.
type silent struct{}

func (silent) Notify(chat.Event) {}

// makeMember stores a member in a folder that no server uses, and signs it in.
func makeMember(t *testing.T, folder, name string) (user *chat.User, token string) {
	t.Helper()
	ctx := context.Background()
	fresh.Fill(t, folder)
	data, err := store.Open(ctx, store.Config{Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	service := chat.New(data, silent{}, chat.Config{})
	defer service.Close(ctx)
	if user, err = service.CreateMember(ctx, chat.NewMember{Username: name, NickName: name}); err != nil {
		t.Fatal(err)
	}
	who, err := auth.New(ctx, data, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if token, err = who.SignIn(ctx, user.ID, "test"); err != nil {
		t.Fatal(err)
	}
	return user, token
}
