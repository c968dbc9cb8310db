package socketio_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"qun/engineio"
	"qun/socketio"
)

func TestClientBundleIsServed(t *testing.T) {
	script := "/*!\n * Socket.IO v4.8.4\n */\nio()"
	server := socketio.New(socketio.Config{
		Engine: engineio.Config{CORS: &engineio.CORS{Origin: "*"}},
		Client: fstest.MapFS{
			"socket.io.js":             {Data: []byte(script)},
			"socket.io.min.js":         {Data: []byte("min")},
			"socket.io.min.js.map":     {Data: []byte("{}")},
			"socket.io.esm.min.js":     {Data: []byte("esm")},
			"socket.io.msgpack.min.js": {Data: []byte("msgpack")},
			"secret.js":                {Data: []byte("secret")},
		},
	})
	defer stop(t, server)
	for _, c := range []struct {
		method, path, match string
		status              int
		body, contentType   string
	}{
		{"GET", "/socket.io/socket.io.js", "", 200, script, "text/javascript; charset=utf-8"},
		{"GET", "/socket.io/socket.io.min.js", `"4.8.3"`, 200, "min", "text/javascript; charset=utf-8"},
		{"GET", "/socket.io/socket.io.min.js.map", "", 200, "{}", "application/json; charset=utf-8"},
		{"GET", "/socket.io/socket.io.esm.min.js", "", 200, "esm", "text/javascript; charset=utf-8"},
		{"GET", "/socket.io/socket.io.msgpack.min.js", "", 200, "msgpack", "text/javascript; charset=utf-8"},
		{"GET", "/socket.io/socket.io.js", `"4.8.4"`, 304, "", ""},
		{"GET", "/socket.io/socket.io.js", `W/"4.8.4"`, 304, "", ""},
		{"HEAD", "/socket.io/socket.io.js", "", 200, "", "text/javascript; charset=utf-8"},
		{"OPTIONS", "/socket.io/socket.io.js", "", 204, "", ""},
		{"GET", "/socket.io/secret.js", "", 400, `{"code":0,"message":"Transport unknown"}`, "application/json"},
		{"GET", "/socket.io/socket.io.js.map", "", 400, `{"code":0,"message":"Transport unknown"}`, "application/json"},
		{"POST", "/socket.io/socket.io.js", "", 400, `{"code":0,"message":"Transport unknown"}`, "application/json"},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.match != "" {
			r.Header.Set("If-None-Match", c.match)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Content-Type") != c.contentType {
			t.Errorf("%s %s: got %d %q %q, want %d %q %q", c.method, c.path, w.Code, w.Header().Get("Content-Type"), w.Body, c.status, c.contentType, c.body)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: no CORS header", c.method, c.path)
		}
		if c.status < 400 && c.status != http.StatusNoContent && (w.Header().Get("ETag") != `"4.8.4"` || w.Header().Get("Cache-Control") != "public, max-age=0") {
			t.Errorf("%s %s: got headers %v", c.method, c.path, w.Header())
		}
	}
}

func TestClientBundleIsCompressed(t *testing.T) {
	script := strings.Repeat("/*! Socket.IO v4.8.4 */ io();", 200)
	server := socketio.New(socketio.Config{Client: fstest.MapFS{
		"socket.io.js":            {Data: []byte(script)},
		"socket.io.min.js":        {Data: []byte(script)},
		"socket.io.min.js.br":     {Data: []byte("as brotli")},
		"socket.io.min.js.gz":     {Data: []byte("as gzip")},
		"socket.io.esm.min.js":    {Data: []byte("tiny")},
		"socket.io.esm.min.js.xz": {Data: []byte("unknown")},
	}})
	defer stop(t, server)
	for _, c := range []struct{ file, accept, ranged, encoding, body string }{
		{"socket.io.js", "", "", "", script},
		{"socket.io.js", "gzip, deflate, br", "", "gzip", script},
		{"socket.io.js", "br", "", "", script},
		{"socket.io.js", "GZIP;q=0.5", "", "gzip", script},
		{"socket.io.js", "gzip;q=0", "", "", script},
		{"socket.io.js", "gzip; q=nonsense", "", "", script},
		{"socket.io.js", "gzip", "bytes=0-3", "", script[:4]},
		{"socket.io.min.js", "gzip, deflate, br", "", "br", "as brotli"},
		{"socket.io.min.js", "gzip, br;q=0.0", "", "gzip", "as gzip"},
		{"socket.io.min.js", "identity", "", "", script},
		{"socket.io.esm.min.js", "gzip", "", "", "tiny"},
		{"socket.io.esm.min.js", "xz", "", "", "tiny"},
	} {
		r := httptest.NewRequest("GET", "/socket.io/"+c.file, nil)
		r.Header.Set("Accept-Encoding", c.accept)
		if c.ranged != "" {
			r.Header.Set("Range", c.ranged)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		body := w.Body.String()
		if c.encoding == "gzip" && c.body == script {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			unzipped, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(unzipped)
		}
		if got := w.Header().Get("Content-Encoding"); got != c.encoding || body != c.body || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%+.40v: got %q and %d bytes, Vary %q", c, got, len(body), w.Header().Get("Vary"))
		}
	}
}

func TestWithoutABundleTheEngineAnswers(t *testing.T) {
	server := socketio.New(socketio.Config{})
	defer stop(t, server)
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequest("GET", "/socket.io/socket.io.js", nil))
	if w.Code != 400 {
		t.Errorf("got %d, want 400", w.Code)
	}
}

func TestPeerThatNeverReadsTheBundleIsCut(t *testing.T) {
	cfg := socketio.Config{Client: fstest.MapFS{"socket.io.js": {Data: []byte("io()")}}}
	within(t, cfg, func(w *world) {
		here, there := net.Pipe()
		w.pipes <- there
		_, _ = io.WriteString(here, "GET /socket.io/socket.io.js HTTP/1.1\r\nHost: test\r\n\r\n")
		time.Sleep(3 * time.Minute)
		if n, err := here.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			t.Errorf("3 minutes later: got %d bytes, %v; want the connection cut", n, err)
		}
	})
}
