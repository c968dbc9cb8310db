package faultproxy_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"qun/internal/faultproxy"
	"qun/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestProxyCarries(t *testing.T) {
	p := faultproxy.New(t, faultproxy.Config{Server: echo(t)})
	c := dial(t, p)
	text := strings.Repeat("there and back ", 20_000)
	go io.WriteString(c, text)
	if got := read(t, c, len(text)); got != text {
		t.Errorf("got %d other bytes", len(got))
	}
}

func TestProxyHolds(t *testing.T) {
	p := faultproxy.New(t, faultproxy.Config{Server: echo(t)})
	before := dial(t, p)
	say(t, before, "one")
	p.Hold(true)
	meanwhile := dial(t, p)
	for _, c := range []net.Conn{before, meanwhile} {
		if _, err := io.WriteString(c, "two"); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %d bytes, %v out of a black hole", n, err)
		}
	}
	dial(t, p).Close() // who gives up is nobody's business
	p.Hold(false)
	for _, c := range []net.Conn{before, meanwhile} {
		if got := read(t, c, 3); got != "two" {
			t.Errorf("got %q", got)
		}
	}
}

func TestProxyIsSlow(t *testing.T) {
	p := faultproxy.New(t, faultproxy.Config{Server: echo(t)})
	c := dial(t, p)
	say(t, c, "at once")
	p.Slow(20 * time.Millisecond)
	began := time.Now()
	say(t, c, "later")
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("there and back took %s", took)
	}
}

func TestProxyEndsConnections(t *testing.T) {
	p := faultproxy.New(t, faultproxy.Config{Server: echo(t)})
	for end, want := range map[string]error{"cut": io.EOF, "reset": syscall.ECONNRESET} {
		c := dial(t, p)
		say(t, c, "here")
		if end == "cut" {
			p.Cut()
		} else {
			p.Reset()
		}
		if err := ends(c); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", end, err, want)
		}
	}
	p.Refuse(true)
	if err := ends(dial(t, p)); !errors.Is(err, io.EOF) {
		t.Errorf("refused: got %v", err)
	}
	p.Refuse(false)
	say(t, dial(t, p), "and on")
}

// ends is how a connection ends.
func ends(c net.Conn) error {
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := c.Read(make([]byte, 1))
	return err
}

func TestProxyJudgesMessages(t *testing.T) {
	p := faultproxy.New(t, faultproxy.Config{Server: echo(t), Down: faultproxy.Redis, Judge: func(up bool, message []byte) faultproxy.Fate {
		switch {
		case !up && faultproxy.IsPublished(message) && bytes.Contains(message, []byte("secret")):
			return faultproxy.Drop
		case !up && bytes.Equal(message, []byte("+QUIT\r\n")):
			return faultproxy.Cut
		}
		return faultproxy.Pass
	}})
	c := dial(t, p)
	if _, err := io.WriteString(c, published("one")+published("secret")+published("two")+"+QUIT\r\n+never\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(c)
	if want := published("one") + published("two"); string(got) != want && !strings.HasPrefix(want, string(got)) {
		t.Errorf("got %q, %v", got, err)
	}
}

func published(text string) string {
	return ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$" + string(rune('0'+len(text))) + "\r\n" + text + "\r\n"
}

// Messages are told apart however the stream is cut, and one that is not whole is none.
func TestFramings(t *testing.T) {
	for name, c := range map[string]struct {
		next     faultproxy.Framing
		messages []string
	}{
		"PostgreSQL's client": {faultproxy.PostgresUp, []string{"\x00\x00\x00\x08\x00\x03\x00\x00", "Q\x00\x00\x00\x0bCOMMIT\x00", "X\x00\x00\x00\x04"}},
		"PostgreSQL":          {faultproxy.PostgresDown, []string{"R\x00\x00\x00\x08\x00\x00\x00\x00", "C\x00\x00\x00\x0bCOMMIT\x00", "A\x00\x00\x00\x05x"}},
		"Redis": {faultproxy.Redis, []string{
			"+OK\r\n", ":5\r\n", "$-1\r\n", "*-1\r\n", "$4\r\n\r\n\r\n\r\n", "*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "%1\r\n$1\r\nk\r\n_\r\n", published("text"), "PING\r\n",
		}},
	} {
		stream := strings.Join(c.messages, "")
		for _, r := range []io.Reader{strings.NewReader(stream), iotest.OneByteReader(strings.NewReader(stream))} {
			buffered := bufio.NewReader(r)
			for i, want := range c.messages {
				if got, err := c.next(buffered, i == 0); err != nil || string(got) != want {
					t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
				}
			}
		}
		last := c.messages[len(c.messages)-1]
		if got, err := c.next(bufio.NewReader(strings.NewReader(last[:len(last)-1])), false); err == nil {
			t.Errorf("%s: half a message is %q", name, got)
		}
	}
}

// echo is a server that says what it hears.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // until either side has enough
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return listener.Addr().String()
}

func dial(t *testing.T, p *faultproxy.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if got := read(t, c, len(text)); got != text {
		t.Fatalf("got %q, want %q", got, text)
	}
}

func read(t *testing.T, c net.Conn, n int) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	got := make([]byte, n)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	return string(got)
}
