package rest_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/rest"
)

// Who takes nothing for half a minute is cut; who takes little at a time gets all of it, however long that lasts.
func TestStalledDownloadsEndAndSlowOnesDoNot(t *testing.T) {
	const size = 2 << 20
	for name, c := range map[string]struct {
		pause time.Duration // before each piece that is taken
		piece int64
		whole bool
	}{
		"stalled": {31 * time.Second, 64 << 10, false},
		"slow":    {20 * time.Second, 32 << 10, true}, // 21 minutes for 2 MB
		"quick":   {0, size, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				handler := rest.Pace(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, size)))
				}))
				web := &http.Server{Handler: handler}
				go web.Serve(&oneConn{conn: there})
				go io.WriteString(here, "GET / HTTP/1.1\r\nHost: qun.test\r\n\r\n")
				answer, err := http.ReadResponse(bufio.NewReaderSize(here, 16), nil)
				if err != nil {
					t.Fatal(err)
				}
				began, got := time.Now(), int64(0)
				for err == nil && got < size {
					time.Sleep(c.pause)
					var n int64
					n, err = io.CopyN(io.Discard, answer.Body, min(c.piece, size-got))
					got += n
				}
				if (got == size) != c.whole {
					t.Errorf("got %d bytes after %v: %v", got, time.Since(began), err)
				}
				if !c.whole && time.Since(began) > 2*time.Minute {
					t.Errorf("it held the connection for %v", time.Since(began))
				}
				here.Close()
				web.Close()
				synctest.Wait()
			})
		})
	}
}

// oneConn is a listener that accepts one connection.
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

// timed notes the deadlines of its writes.
type timed struct {
	*httptest.ResponseRecorder
	deadlines []time.Duration // from when they were set
}

func (w *timed) SetWriteDeadline(at time.Time) error {
	w.deadlines = append(w.deadlines, time.Until(at))
	return nil
}

func (w *timed) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

func TestFilesAndPagesAreSentAtTheirReadersPace(t *testing.T) {
	s, _, _, _ := lobby(t)
	f := s.upload(t, "large.bin", make([]byte, 300_000))
	for _, path := range []string{f.URL, "/openapi.json"} {
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest("GET", "http://localhost:3000"+path, nil)
		r.AddCookie(s.cookie)
		s.ServeHTTP(w, r)
		last := time.Duration(0)
		if len(w.deadlines) > 0 {
			last = w.deadlines[len(w.deadlines)-1]
		}
		if w.Code != http.StatusOK || last <= 0 || last > 31*time.Second {
			t.Errorf("%s: %d, each write may take %v", path, w.Code, w.deadlines)
		}
		if path == f.URL && len(w.deadlines) < 5 {
			t.Errorf("%s: one time for all of it", path)
		}
	}
}
