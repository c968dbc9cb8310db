package main_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	qun "qun/cmd/qun"
)

// Who begins a request and does not end it, or drips it, is cut, and so is who has nothing more to say.
func TestHalfOpenRequestsAreCut(t *testing.T) {
	const whole = "GET / HTTP/1.1\r\nHost: qun.test\r\n\r\n"
	for name, c := range map[string]struct {
		begin, drip string
		within      time.Duration
	}{
		"nothing":             {"", "", 10 * time.Second},
		"half a line":         {"GET /socket.io/?EIO=4", "", 10 * time.Second},
		"half an upgrade":     {"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n", "", 10 * time.Second},
		"headers that drip":   {"GET / HTTP/1.1\r\nHost: qun.test\r\n", "X-A: b\r\n", 10 * time.Second},
		"one request":         {whole, "", 2 * time.Minute},
		"one, and half a one": {whole + "GET /socket.io", "", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer here.Close()
				web := qun.Patient(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
				go web.Serve(&oneConn{conn: there})
				var peer sync.WaitGroup
				peer.Go(func() {
					_, err := io.WriteString(here, c.begin)
					for c.drip != "" && err == nil {
						time.Sleep(time.Second)
						_, err = io.WriteString(here, c.drip)
					}
				})
				begun := time.Now()
				io.Copy(io.Discard, here)
				if lived := time.Since(begun); lived > c.within+time.Second {
					t.Errorf("lived %v, want %v", lived, c.within)
				}
				web.Close()
				here.Close()
				peer.Wait()
			})
		})
	}
}

func TestHeadersWithoutAnEndAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		web := qun.Patient(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		go web.Serve(&oneConn{conn: there})
		go io.WriteString(here, "GET / HTTP/1.1\r\nHost: qun.test\r\nX-Long: "+strings.Repeat("x", 1_000_000))
		answer, err := io.ReadAll(here)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") {
			t.Errorf("got %.40q, %v; want status 431", answer, err)
		}
		web.Close()
	})
}

// A oneConn is a listener that accepts one connection.
type oneConn struct{ conn net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	c := l.conn
	l.conn = nil
	return c, nil
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
