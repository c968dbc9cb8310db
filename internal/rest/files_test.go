package rest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/rest"
)

// form is a multipart form with a file.
func form(t *testing.T, part, name string, body []byte) (kind, text string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	if err := w.WriteField("comment", "passed over"); err != nil {
		t.Fatal(err)
	}
	p, err := w.CreateFormFile(part, name)
	if err == nil {
		_, err = p.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), out.String()
}

// post uploads a file as the site's page does.
func (s *site) post(t *testing.T, name string, body []byte, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	kind, text := form(t, "file", name, body)
	change = append(change, func(r *http.Request) { r.Header.Set("Content-Type", kind) })
	return s.ask("POST", "/api/v1/files", text, change...)
}

func (s *site) upload(t *testing.T, name string, body []byte) chat.File {
	t.Helper()
	return fileIn(t, s.post(t, name, body))
}

func fileIn(t *testing.T, w *httptest.ResponseRecorder) chat.File {
	t.Helper()
	var out struct{ File chat.File }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || out.File.ID == "" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return out.File
}

func inPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// lobby is a site on whose chat a guest has entered the lobby.
func lobby(t *testing.T) (s *site, service *chat.Service, guest *chat.User, group chat.GroupID) {
	t.Helper()
	s, service = newHouse(t, nil)
	guest = userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	entered, err := service.Enter(t.Context(), guest, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	return s, service, guest, entered.Group.ID
}

func TestAFileGoesInAndComesOut(t *testing.T) {
	s, service, guest, group := lobby(t)
	body := inPNG(t, 1000, 500)
	f := s.upload(t, "年会 1.png", body)
	if f.Name != "年会 1.png" || f.Type != "image/png" || f.Width != 1000 || f.Size != int64(len(body)) || f.ThumbURL == "" {
		t.Fatalf("got %+v", f)
	}
	nobody := func(r *http.Request) { r.Header.Del("Cookie") }
	wantRefused(t, s.ask("GET", f.URL, "", nobody), http.StatusNotFound, chat.CodeNotFound) // not sent yet
	if _, err := service.SendMessage(t.Context(), guest, chat.NewMessage{Group: group, Entered: true, Files: []chat.FileID{f.ID}}); err != nil {
		t.Fatal(err)
	}
	w := s.ask("GET", f.URL, "", nobody) // the lobby is open
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), body) || w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("got %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
	if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "private") || !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control is %q", got)
	}
	again := s.ask("GET", f.URL, "", func(r *http.Request) { r.Header.Set("If-None-Match", w.Header().Get("ETag")) })
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("again: got %d, %d bytes", again.Code, again.Body.Len())
	}
	part := s.ask("GET", f.URL, "", func(r *http.Request) { r.Header.Set("Range", "bytes=1-3") })
	if part.Code != http.StatusPartialContent || part.Body.String() != "PNG" {
		t.Errorf("a range: got %d %q", part.Code, part.Body)
	}
	thumb := s.ask("GET", f.ThumbURL, "")
	small, _, err := image.Decode(thumb.Body)
	if err != nil || small.Bounds().Dx() != 640 || thumb.Header().Get("Content-Type") != "image/jpeg" || thumb.Header().Get("Content-Disposition") != "inline" {
		t.Errorf("the small picture: %d, %v, %v", thumb.Code, thumb.Header(), err)
	}
	wantRefused(t, s.ask("GET", "/thumbs/"+string(f.ID[:35])+"x", ""), http.StatusNotFound, chat.CodeNotFound)
}

func TestAvatarsArePublicAndNothingElseIs(t *testing.T) {
	s, service, guest, _ := lobby(t)
	f := s.upload(t, "me.png", inPNG(t, 300, 300))
	path, err := service.NewAvatar(t.Context(), guest, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	nobody := func(r *http.Request) { r.Header.Del("Cookie") }
	w := s.ask("GET", path, "", nobody)
	if drawn, _, err := image.Decode(w.Body); err != nil || drawn.Bounds().Dx() != 256 || !strings.Contains(w.Header().Get("Cache-Control"), "public") {
		t.Errorf("got %d, %v, %v", w.Code, w.Header(), err)
	}
	wantRefused(t, s.ask("GET", "/avatars/"+string(f.ID), ""), http.StatusNotFound, chat.CodeNotFound)
	wantRefused(t, s.ask("GET", strings.Replace(path, "avatars", "thumbs", 1), ""), http.StatusNotFound, chat.CodeNotFound)
}

func TestAMembersPictureIsItsUpload(t *testing.T) {
	s, service, _, _ := lobby(t)
	member(t, s, service, "alice")
	f := s.upload(t, "me.png", inPNG(t, 300, 200))
	w := s.ask("PATCH", "/api/v1/me", fmt.Sprintf(`{"avatar":%q}`, f.ID))
	var out struct{ User chat.User }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || !strings.HasPrefix(out.User.Avatar, "/avatars/") {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", out.User.Avatar, "", func(r *http.Request) { r.Header.Del("Cookie") }); w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// What could run is saved, under a type that says nothing, in a sandbox; pictures, sound and video are shown.
func TestUploadsNeverRun(t *testing.T) {
	s, _, _, _ := lobby(t)
	for name, c := range map[string]struct {
		body string
		kind string
		show bool
	}{
		"page.html":   {"<!doctype html><script>alert(1)</script>", "application/octet-stream", false},
		"cat.png":     {"<html><script>alert(1)</script>", "application/octet-stream", false}, // its name lies
		"icon.svg":    {`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "application/octet-stream", false},
		"feed.xml":    {`<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><a/>`, "application/octet-stream", false},
		"worker.js":   {"self.onfetch = e => 0", "application/octet-stream", false},
		"style.css":   {"body { background: url(//evil.example) }", "application/octet-stream", false},
		"notes.txt":   {"words", "application/octet-stream", false},
		"polyglot.js": {"GIF89a\x01\x00\x01\x00\x00\x00\x00=1;alert(1)", "image/gif", true}, // a GIF for browsers, whatever else it is
		"cut.png":     {"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "application/octet-stream", false},
		"doc.pdf":     {"%PDF-1.7 <script>", "application/pdf", false},
		"song.mp3":    {"ID3 and more", "audio/mpeg", true},
		"flash.swf":   {"CWS\x05more", "application/octet-stream", false},
		"x.hta":       {"\xef\xbb\xbf<html>", "application/octet-stream", false},
	} {
		f := s.upload(t, name, []byte(c.body))
		h := s.ask("GET", f.URL, "").Header()
		disposition, _, err := mime.ParseMediaType(h.Get("Content-Disposition"))
		if err != nil || h.Get("Content-Type") != c.kind || (disposition == "inline") != c.show || !c.show && disposition != "attachment" {
			t.Errorf("%s: got %s, %s, %v", name, h.Get("Content-Type"), h.Get("Content-Disposition"), err)
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "allow-") {
			t.Errorf("%s: CSP is %q", name, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s: got %v", name, h)
		}
	}
}

func TestNamesOfFilesCannotBreakOutOfTheirHeader(t *testing.T) {
	s, _, _, _ := lobby(t)
	for name, want := range map[string]string{
		"plain.txt":               "plain.txt",
		"年会 照片.txt":               "年会 照片.txt",
		"100% \"x\"; a=b.txt":     "100% _x_; a=b.txt",
		"a\\b\r\nSet-Cookie: x=1": "b%0D%0ASet-Cookie_ x=1", // as a browser writes it
		"../../../etc/passwd":     "passwd",
		"annex\u202egpj.exe":      "annexgpj.exe",
		"it's (1).txt":            "it's (1).txt",
		"é*.txt":                  "é_.txt",
	} {
		f := s.upload(t, name, []byte("x"))
		h := s.ask("GET", f.URL, "").Header()
		_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
		if strings.ContainsFunc(h.Get("Content-Disposition"), func(r rune) bool { return r > '~' }) {
			t.Errorf("%q: the header is no ASCII: %q", name, h.Get("Content-Disposition"))
		}
		if f.Name != want || err != nil || params["filename"] != want || h.Get("Set-Cookie") != "" || len(params) != 1 {
			t.Errorf("%q: is called %q, served as %q (%v, %v)", name, f.Name, h.Get("Content-Disposition"), params, err)
		}
	}
}

func TestNoPathLeadsToOtherFiles(t *testing.T) {
	s, _, _, _ := lobby(t)
	for _, path := range []string{
		"/files/../../../etc/passwd", "/files/..%2f..%2f..%2fetc%2fpasswd/x", "/files/%2e%2e/passwd", "/files/.%00/x",
		"/thumbs/..%2f..%2fqun.db", "/avatars/..%2fkept", "/files/x", "/files/", "/files//x", "/thumbs/", "/avatars/%00",
	} {
		if w := s.ask("GET", path, ""); w.Code == http.StatusOK || w.Code >= 500 {
			t.Errorf("%s: got %d %.60s", path, w.Code, w.Body)
		}
	}
}

func TestAFileIsForThoseWhoMaySeeIt(t *testing.T) {
	s, service, _, _ := lobby(t)
	alice := member(t, s, service, "alice")
	f := s.upload(t, "a.txt", []byte("secret"))
	for name, change := range map[string]func(*http.Request){
		"another guest":           func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.guestToken(t, service, "小红")) },
		"nobody":                  func(r *http.Request) { r.Header.Del("Cookie") },
		"a page of somebody else": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
	} {
		w := s.ask("GET", f.URL, "", change)
		wantRefused(t, w, http.StatusNotFound, chat.CodeNotFound)
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: a refusal has %v", name, w.Header())
		}
	}
	if w := s.ask("GET", f.URL, ""); w.Code != http.StatusOK || w.Body.String() != "secret" {
		t.Errorf("its uploader %s: got %d %s", alice.ID, w.Code, w.Body)
	}
	bad := func(r *http.Request) { r.Header.Set("Authorization", "Bearer g.AAAA.AAAA") }
	wantRefused(t, s.ask("GET", f.URL, "", bad), http.StatusUnauthorized, chat.CodeUnauthorized)
}

// member makes the site's browser a member.
func member(t *testing.T, s *site, service *chat.Service, name string) *chat.User {
	t.Helper()
	u, err := service.CreateMember(t.Context(), chat.NewMember{Username: name})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.auth.SignIn(t.Context(), u.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	s.cookie = auth.Cookie(token, false)
	return u
}

// guestToken is the token of a new guest.
func (s *site) guestToken(t *testing.T, service *chat.Service, name string) string {
	t.Helper()
	u, err := service.NewGuest(t.Context(), name, false)
	if err != nil {
		t.Fatal(err)
	}
	return s.auth.GuestToken(*u)
}

func TestUploadsAreRefusedInOurShape(t *testing.T) {
	s, _, _, _ := lobby(t)
	kind, text := form(t, "other", "x", []byte("x"))
	as := func(kind string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", kind) }
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"no file in it":  s.ask("POST", "/api/v1/files", text, as(kind)),
		"JSON":           s.ask("POST", "/api/v1/files", "{}"),
		"no boundary":    s.ask("POST", "/api/v1/files", text, as("multipart/form-data")),
		"cut":            s.ask("POST", "/api/v1/files", strings.TrimSuffix(strings.Replace(text, `name="other"`, `name="file"`, 1), "--\r\n")[:len(text)-8], as(kind)),
		"a long key":     s.post(t, "x", nil, func(r *http.Request) { r.Header.Set("Idempotency-Key", strings.Repeat("k", 65)) }),
		"another prefix": s.ask("POST", "/api/v1/files", "garbage"+text, as(kind)),
	} {
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
			continue
		}
		wantRefused(t, w, http.StatusBadRequest, chat.CodeInvalid)
	}
	wantRefused(t, s.post(t, "x", make([]byte, 20_000_001)), http.StatusRequestEntityTooLarge, chat.CodeTooLarge)
	key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "once") }
	first, again := fileIn(t, s.post(t, "a", []byte("1"), key)), fileIn(t, s.post(t, "a", []byte("1"), key))
	if first != again {
		t.Errorf("sent again it is %+v, not %+v", again, first)
	}
	wantRefused(t, s.post(t, "a", []byte("2"), key), http.StatusConflict, chat.CodeConflict)
}

// pipes is a listener of connections in memory.
type pipes struct{ connections chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.connections
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serveInMemory serves a site; dial is a connection to it.
func serveInMemory(t *testing.T, s *site) (dial func() net.Conn) {
	t.Helper()
	listener := pipes{make(chan net.Conn)}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // always ends with an error: it was closed
	}()
	t.Cleanup(func() {
		close(listener.connections)
		_ = server.Close()
		<-done
	})
	return func() net.Conn {
		mine, theirs := net.Pipe()
		listener.connections <- theirs
		t.Cleanup(func() { mine.Close() })
		return mine
	}
}

// A byte now and then must not hold a place: 100 clients of that kind would take them all.
func TestSlowUploadsAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _, _ := lobby(t)
		c := serveInMemory(t, s)()
		kind, text := form(t, "file", "x", bytes.Repeat([]byte("x"), 10_000))
		head := fmt.Sprintf("POST /api/v1/files HTTP/1.1\r\nHost: localhost:3000\r\nOrigin: http://localhost:3000\r\nCookie: %s=%s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			s.cookie.Name, s.cookie.Value, kind, len(text))
		began := time.Now()
		var writing sync.WaitGroup
		defer writing.Wait()
		defer c.Close()
		writing.Go(func() {
			if _, err := io.WriteString(c, head+text[:300]); err != nil {
				return
			}
			for i := 300; i < len(text); i++ {
				time.Sleep(5 * time.Second)
				if _, err := io.WriteString(c, text[i:i+1]); err != nil {
					return
				}
			}
		})
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if took := time.Since(began); took > time.Minute || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("after %v: got %s", took, answer.Status)
		}
	})
}

// Whoever is slow but steady gets the time that a slow line needs.
func TestSteadyUploadsOverASlowLineArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _, _ := lobby(t)
		c := serveInMemory(t, s)()
		kind, text := form(t, "file", "x", bytes.Repeat([]byte("x"), 4<<20))
		head := fmt.Sprintf("POST /api/v1/files HTTP/1.1\r\nHost: localhost:3000\r\nOrigin: http://localhost:3000\r\nCookie: %s=%s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			s.cookie.Name, s.cookie.Value, kind, len(text))
		var writing sync.WaitGroup
		defer writing.Wait()
		defer c.Close()
		writing.Go(func() {
			if _, err := io.WriteString(c, head); err != nil {
				return
			}
			for len(text) > 0 {
				n := min(20<<10, len(text)) // 20 KB a second
				if _, err := io.WriteString(c, text[:n]); err != nil {
					return
				}
				text = text[n:]
				time.Sleep(time.Second)
			}
		})
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(answer.Body)
			t.Errorf("got %s %s", answer.Status, body)
		}
	})
}

// Who asks for a file and does not read it must not hold it open for ever.
func TestStalledDownloadsAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _, _ := lobby(t)
		f := s.upload(t, "x", bytes.Repeat([]byte("x"), 1<<20))
		c := serveInMemory(t, s)()
		_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost:3000\r\nOrigin: http://localhost:3000\r\nCookie: %s=%s\r\n\r\n",
			f.URL, s.cookie.Name, s.cookie.Value)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if n, err := io.Copy(io.Discard, c); err != nil || n >= 1<<20 {
			t.Errorf("after two minutes %d bytes came, %v", n, err)
		}
	})
}

func TestFilesMayBeAskedForMoreOftenThanOperations(t *testing.T) {
	s, _ := newHouse(t, func(c *rest.Config) { c.RequestsPerSecond = 0.1 })
	for range 10 { // a burst of 5 × 20 × 0.1
		wantRefused(t, s.ask("GET", "/avatars/x", ""), http.StatusNotFound, chat.CodeNotFound)
	}
	wantRefused(t, s.ask("GET", "/avatars/x", ""), http.StatusTooManyRequests, chat.CodeRateLimited)
	wantRefused(t, s.ask("GET", "/api/v1/users/x", ""), http.StatusUnauthorized, chat.CodeUnauthorized)
}

func TestEveryRouteHasTheSecurityHeaders(t *testing.T) {
	s, service := newHouse(t, withApp)
	_, operations := readDocument(t, s)
	guest := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	f := s.upload(t, "x.png", inPNG(t, 2, 2))
	avatar, err := service.NewAvatar(t.Context(), guest, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	guard := &rest.Guard{Host: func(host string) bool { return host == "localhost:3000" }}
	s.Handler = guard.Wrap(s.Handler)
	type request struct{ method, path string }
	asked := []request{
		{"GET", "/"}, {"GET", "/g/x"}, {"GET", "/plain"}, {"GET", "/plain/plain.js"}, {"GET", "/plain/none"}, {"GET", "/assets/index-abc.js"},
		{"GET", "/nothing.js"}, {"POST", "/"}, {"GET", "/healthz"}, {"POST", "/healthz"}, {"GET", "/openapi.json"}, {"GET", "/openapi.yaml"},
		{"GET", "/api/v1/nothing"}, {"PUT", "/api/v1/session"}, {"GET", "/api"}, {"GET", f.URL}, {"GET", f.ThumbURL}, {"GET", avatar},
		{"GET", "/files/x/y"}, {"GET", "/thumbs/x"}, {"GET", "/avatars/x"}, {"DELETE", f.URL}, {"GET", "/files/../x"}, {"GET", "//x"},
	}
	for _, o := range operations {
		asked = append(asked, request{o.method, o.url()})
	}
	for _, secure := range []bool{false, true} {
		guard.SecureHost = map[bool]string{true: "localhost:3000"}[secure]
		for _, a := range asked {
			h := s.ask(a.method, a.path, "").Header()
			csp := h.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors") ||
				h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") == "" {
				t.Errorf("%s %s: got %v", a.method, a.path, h)
			}
			if (h.Get("Strict-Transport-Security") != "") != secure {
				t.Errorf("%s %s: over TLS %v, got %v", a.method, a.path, secure, h)
			}
		}
	}
	w := s.ask("GET", "/", "", func(r *http.Request) { r.Host = "evil.example:3000" })
	if w.Code != http.StatusMisdirectedRequest || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("a rebound name: got %d %v", w.Code, w.Header())
	}
}
