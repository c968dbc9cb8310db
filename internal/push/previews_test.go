package push_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"qun/internal/chat"
	"qun/internal/files"
	"qun/internal/push"
	"qun/internal/store"
)

const public = "93.184.216.34"

// internet is a server of this machine that stands for all public ones, and the names that lead there or elsewhere.
type internet struct {
	*httptest.Server
	mux     *http.ServeMux
	client  *http.Client
	dialled atomic.Int64

	mu    sync.Mutex // guards below
	names map[string][]string
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	n := &internet{mux: http.NewServeMux(), names: map[string][]string{}}
	n.Server = httptest.NewServer(n.mux)
	t.Cleanup(n.Close)
	n.client = push.NewPageClient(&push.Dialer{Web: true, Resolve: n.resolve, Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
		n.dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, n.Listener.Addr().String())
	}})
	t.Cleanup(n.client.CloseIdleConnections)
	return n
}

// resolve answers with the addresses of a name, one after the other; the last one stays. What has none is public.
func (n *internet) resolve(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	address := public
	if list := n.names[host]; len(list) > 0 {
		if address = list[0]; len(list) > 1 {
			n.names[host] = list[1:]
		}
	}
	return []netip.Addr{netip.MustParseAddr(address)}, nil
}

// serve answers a path with a body.
func (n *internet) serve(path, kind string, body []byte) {
	n.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body)
	})
}

func (n *internet) page(path, html string) { n.serve(path, "text/html; charset=utf-8", []byte(html)) }

// look is what is found behind a link.
func (n *internet) look(t *testing.T, link string) *chat.Page {
	t.Helper()
	page, err := push.Look(t.Context(), n.client, link)
	if (page == nil) == (err == nil) {
		t.Fatalf("%s: got %v, %v", link, page, err)
	}
	return page
}

func dot(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPageSaysWhatItIs(t *testing.T) {
	n := newInternet(t)
	picture := dot(t)
	n.serve("/img/a.png", "image/png", picture)
	n.page("/og", `<!doctype html><html><head><title>plain &amp; title</title><meta name="description" content="plain">
		<meta property="og:title" content="The &quot;title&quot;"><meta property="og:description" content="What it is">
		<meta property="og:site_name" content="Site"><meta property="og:image" content="img/a.png"></head><body>`)
	n.page("/plain", `<svg><title>not this</title></svg><title> 标题 &lt;b&gt; </title><meta name=description content=words><title>nor this</title>`)
	n.page("/bare", `<html><body>nothing`)
	n.page("/many/", `<meta property="og:image" content="/img/a.png"><meta property="og:title" content="x"><meta property="og:image" content="/b">`)
	for link, want := range map[string]chat.Page{
		"http://example.org/og":        {Site: "Site", Title: `The "title"`, Description: "What it is", Picture: picture},
		"http://www.example.org/plain": {Site: "example.org", Title: "标题 <b>", Description: "words"},
		"http://example.org/bare":      {Site: "example.org"},
		"http://example.org/img/a.png": {Title: "a.png", Picture: picture},
		"http://example.org/many/":     {Site: "example.org", Title: "x", Picture: picture},
	} {
		got := n.look(t, link)
		if got == nil || got.Site != want.Site || got.Title != want.Title || got.Description != want.Description || !bytes.Equal(got.Picture, want.Picture) {
			t.Errorf("%s: got %+v, want %+v", link, got, want)
		}
	}
}

func TestScriptsInTitlesAreText(t *testing.T) {
	n := newInternet(t)
	n.page("/", `<title><script>alert(1)</script><img src=x onerror=alert(1)></title><meta property="og:description" content="&lt;script&gt;alert(2)&lt;/script&gt;">`)
	got := n.look(t, "http://example.org/")
	if got.Title != "<script>alert(1)</script><img src=x onerror=alert(1)>" || got.Description != "<script>alert(2)</script>" {
		t.Errorf("got %+v", got)
	}
}

func TestPagesAreReadInTheirEncoding(t *testing.T) {
	n := newInternet(t)
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("<title>上海的天气，今天很好</title>")
	if err != nil {
		t.Fatal(err)
	}
	for path, c := range map[string]struct{ kind, body string }{
		"/said":        {"text/html; charset=gb2312", gbk},
		"/meta":        {"text/html", `<meta charset="gbk">` + gbk},
		"/equiv":       {"text/html", `<meta http-equiv="Content-Type" content="text/html; charset=gb2312">` + gbk},
		"/wrong":       {"text/html; charset=utf-8", `<meta charset="gbk">` + gbk},
		"/wrong-twice": {"text/html; charset=utf-8", `<meta charset="utf-8">` + gbk},
		"/nothing":     {"text/html", gbk},
		"/latin":       {"text/html; charset=iso-8859-1", gbk},
		"/utf-8":       {"text/html; charset=gbk", "<title>上海的天气，今天很好</title>"},
	} {
		n.serve(path, c.kind, []byte(c.body))
		if got := n.look(t, "http://example.org"+path); got == nil || got.Title != "上海的天气，今天很好" {
			t.Errorf("%s: got %+v", path, got)
		}
	}
	n.serve("/caf\u00e9", "text/html; charset=iso-8859-1", []byte("<title>caf\xe9</title>"))
	if got := n.look(t, "http://example.org/caf\u00e9"); got.Title != "café" {
		t.Errorf("got %q", got.Title)
	}
}

func TestPreviewsReachPublicWebPagesAlone(t *testing.T) {
	n := newInternet(t)
	n.page("/", "<title>found</title>")
	n.names["intern.example.org"] = []string{"10.0.0.1"}
	n.names["rebound.example.org"] = []string{public, "127.0.0.1"}
	for _, link := range []string{
		"http://127.0.0.1/", "http://localhost.example/", "http://10.1.2.3/", "http://169.254.169.254/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
		"http://intern.example.org/", "http://example.org:22/", "http://example.org:8080/", "http://2130706433/", "http://0x7f.1/",
		"ftp://example.org/", "file:///etc/passwd", "http://user:secret@example.org/",
	} {
		n.names["localhost.example"], n.names["2130706433"], n.names["0x7f.1"] = []string{"127.0.0.1"}, []string{"127.0.0.1"}, []string{"127.0.0.1"}
		if page := n.look(t, link); page != nil || n.dialled.Load() != 0 {
			t.Fatalf("%s: got %+v after %d connections", link, page, n.dialled.Load())
		}
	}
	if n.look(t, "http://example.org/") == nil {
		t.Error("a public page is not found")
	}
}

func TestRedirectsLeadToPublicWebPagesAlone(t *testing.T) {
	n := newInternet(t)
	n.page("/", "<title>found</title>")
	n.names["intern.example.org"] = []string{"192.168.0.1"}
	for path, to := range map[string]string{
		"/1": "http://127.0.0.1/", "/2": "http://intern.example.org/", "/3": "http://example.org:22/", "/4": "file:///etc/passwd",
		"/5": "http://a:b@example.org/", "/6": "gopher://example.org/",
	} {
		n.mux.Handle(path, http.RedirectHandler(to, http.StatusFound))
		before := n.dialled.Load()
		if page := n.look(t, "http://example.org"+path); page != nil {
			t.Errorf("to %s: got %+v", to, page)
		}
		if n.dialled.Load() > before+1 {
			t.Errorf("to %s: it was connected to", to)
		}
	}
	for i, to := range []string{"/", "/hop/0", "/hop/1", "/hop/2"} {
		n.mux.Handle(fmt.Sprint("/hop/", i), http.RedirectHandler(to, http.StatusFound))
	}
	if n.look(t, "http://example.org/hop/2") == nil || n.look(t, "http://example.org/hop/3") != nil {
		t.Error("three redirects are followed, and no more")
	}
}

// A name that is public when the page is asked for, and private when its picture is.
func TestANameThatChangesItsMeaningLeadsNowhere(t *testing.T) {
	n := newInternet(t)
	n.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // another connection, another look at the name
		if r.URL.Path == "/secret.png" {
			t.Error("the private address was reached")
		}
		_, _ = io.WriteString(w, `<title>found</title><meta property="og:image" content="/secret.png">`)
	})
	n.names["rebound.example.org"] = []string{public, "127.0.0.1"}
	page := n.look(t, "http://rebound.example.org/")
	if page == nil || page.Title != "found" || page.Picture != nil || n.dialled.Load() != 1 {
		t.Errorf("got %+v after %d connections", page, n.dialled.Load())
	}
}

func TestPicturesOfPagesAreReachedAsPagesAre(t *testing.T) {
	n := newInternet(t)
	for i, where := range []string{"http://127.0.0.1/x.png", "http://10.0.0.1/x.png", "file:///etc/passwd", "data:image/png;base64,AAAA", "javascript:alert(1)", "//[::1]/x"} {
		path := fmt.Sprint("/", i)
		n.page(path, `<title>found</title><meta property="og:image" content="`+where+`">`)
		before := n.dialled.Load()
		if page := n.look(t, "http://example.org"+path); page == nil || page.Picture != nil || n.dialled.Load() > before+1 {
			t.Errorf("%s: got %+v", where, page)
		}
	}
}

func TestNoMoreIsReadThanIsLookedAt(t *testing.T) {
	n := newInternet(t)
	var sent atomic.Int64
	endless := func(kind string, head []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, err := w.Write(head)
			piece := bytes.Repeat([]byte(" "), 64<<10)
			for range 2000 {
				if err != nil {
					return
				}
				var wrote int
				wrote, err = w.Write(piece)
				sent.Add(int64(wrote))
			}
		}
	}
	n.mux.Handle("/page", endless("text/html", []byte("<title>long</title>")))
	n.page("/late", "<html>"+strings.Repeat("<p>words</p>\n", 60_000)+"<title>late</title>")
	n.mux.Handle("/film", endless("video/mp4", []byte("\x00\x00\x00\x18ftypmp42")))
	n.mux.Handle("/picture", endless("image/png", dot(t)))
	n.page("/with", `<title>with</title><meta property="og:image" content="/picture">`)
	for path, title := range map[string]string{"/page": "long", "/late": "", "/film": "", "/picture": "", "/with": "with"} {
		sent.Store(0)
		page := n.look(t, "http://example.org"+path)
		if page == nil && title != "" || page != nil && (page.Title != title || page.Picture != nil) {
			t.Errorf("%s: got %+v", path, page)
		}
		if sent.Load() > 24<<20 { // what buffers of the system took, with them
			t.Errorf("%s: %d bytes were taken", path, sent.Load())
		}
	}
}

func TestWhoDripsIsNotWaitedFor(t *testing.T) {
	n := newInternet(t)
	n.client.Timeout = 300 * time.Millisecond // of 5 s
	stop := make(chan struct{})
	n.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "<title>drip</title>")
		for {
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	defer close(stop)
	began := time.Now()
	if page := n.look(t, "http://example.org/"); page != nil || time.Since(began) > 5*time.Second {
		t.Errorf("got %+v after %v", page, time.Since(began))
	}
	if client := push.NewPageClient(&push.Dialer{}); client.Timeout == 0 || client.Timeout > 5*time.Second {
		t.Errorf("a page may take %v", client.Timeout)
	}
}

func TestNothingIsToldOfWhoAsks(t *testing.T) {
	n := newInternet(t)
	var asked []http.Header
	n.mux.HandleFunc("/first", func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Clone())
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
		http.Redirect(w, r, "/then", http.StatusFound)
	})
	n.mux.HandleFunc("/then", func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Clone())
		_, _ = io.WriteString(w, "<title>x</title>")
	})
	n.look(t, "http://example.org/first?secret=1")
	n.look(t, "http://example.org/then")
	if len(asked) != 3 {
		t.Fatalf("asked %d times", len(asked))
	}
	for _, header := range asked {
		if header.Get("Cookie") != "" || header.Get("Referer") != "" || !strings.Contains(header.Get("User-Agent"), "Qun link preview") {
			t.Errorf("got %v", header)
		}
	}
}

func TestHostileHTMLIsHarmless(t *testing.T) {
	n := newInternet(t)
	for i, body := range []string{
		strings.Repeat("<div>", 100_000) + "<title>deep</title>", strings.Repeat("<svg>", 100_000), "<title>" + strings.Repeat("x", 500_000),
		"<meta " + strings.Repeat(`a="b" `, 80_000) + ">", "<html>" + strings.Repeat("\x00", 1000) + "<title>\x00</title>", "<!--" + strings.Repeat("-", 500_000),
		"<html><![CDATA[" + strings.Repeat("]", 1000), "<html>" + strings.Repeat("&#x1F4A9;", 50_000), "<html><title>\xff\xfe\x80</title>",
		"<html><meta charset=utf-7><title>+ADw-script+AD4-</title>", "<html><meta charset=\"" + strings.Repeat("x", 5000) + "\">",
	} {
		path := fmt.Sprint("/", i)
		n.serve(path, "text/html", []byte(body))
		if page := n.look(t, "http://example.org"+path); page != nil && (len(page.Title) > 8<<10 || strings.Contains(page.Title, "<script")) {
			t.Errorf("%d: a title of %d bytes", i, len(page.Title))
		}
	}
}

func TestOnlyPagesAndPicturesAreShown(t *testing.T) {
	n := newInternet(t)
	for path, c := range map[string]struct {
		status     int
		kind, body string
	}{
		"/missing": {404, "text/html", "<title>404</title>"}, "/broken": {500, "text/html", "<title>500</title>"}, "/empty": {204, "text/html", ""},
		"/json": {200, "application/json", `{"title": "<title>x</title>"}`}, "/words": {200, "text/plain", "<title>x</title>"},
		"/zip": {200, "text/html", "PK\x03\x04<title>x</title>"}, "/svg": {200, "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><title>x</title></svg>`},
		"/lie": {200, "image/png", "<title>x</title>"}, "/part": {206, "text/html", "<title>x</title>"},
	} {
		n.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		if page := n.look(t, "http://example.org"+path); page != nil {
			t.Errorf("%s: got %+v", path, page)
		}
	}
}

// desk lends links from a list, and keeps what comes back.
type desk struct {
	mu      sync.Mutex // guards below
	waiting []*chat.Link
	shown   map[chat.Seq]*chat.Page
	done    chan struct{} // closed when wanted are shown
	wanted  int
}

func newDesk(urls ...string) *desk {
	d := &desk{shown: map[chat.Seq]*chat.Page{}, done: make(chan struct{}), wanted: len(urls)}
	for i, url := range urls {
		d.waiting = append(d.waiting, &chat.Link{Seq: chat.Seq(i + 1), URL: url})
	}
	return d
}

func (d *desk) ClaimLinks(_ context.Context, limit int) ([]*chat.Link, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lent := d.waiting[:min(limit, len(d.waiting))]
	d.waiting = d.waiting[len(lent):]
	return lent, nil
}

func (d *desk) SettleLink(_ context.Context, l *chat.Link, page *chat.Page) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown[l.Seq] = page
	if len(d.shown) == d.wanted {
		close(d.done)
	}
	return nil
}

func (d *desk) wait(t *testing.T) {
	t.Helper()
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		t.Fatal("not everything was looked at")
	}
}

func TestFewLinksAreLookedAtAtOnceAndEachOnce(t *testing.T) {
	n := newInternet(t)
	var busy, most, asked atomic.Int64
	n.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		now := busy.Add(1)
		defer busy.Add(-1)
		for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(w, "<title>"+r.URL.Path+"</title>")
	})
	var urls []string
	for i := range 60 {
		urls = append(urls, fmt.Sprint("http://example.org/", i%30))
	}
	d := newDesk(urls...)
	p := push.NewPreviewer(push.PreviewConfig{Client: n.client})
	p.Start(d)
	defer p.Close()
	d.wait(t)
	if most.Load() > 8 || asked.Load() != 30 {
		t.Errorf("%d at once, asked %d times; want 8, 30", most.Load(), asked.Load())
	}
	for seq, page := range d.shown {
		if want := fmt.Sprint("/", (int(seq)-1)%30); page == nil || page.Title != want {
			t.Errorf("message %d got %+v, want %s", seq, page, want)
		}
	}
}

func TestWhatIsBrokenOffIsNotSettled(t *testing.T) {
	n := newInternet(t)
	began := make(chan struct{})
	n.mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	})
	d := newDesk("http://example.org/")
	p := push.NewPreviewer(push.PreviewConfig{Client: n.client})
	p.Start(d)
	<-began
	p.Close()
	if len(d.shown) != 0 {
		t.Errorf("settled as %v", d.shown)
	}
}

// bombPNG promises 100,000 × 100,000 pixels.
func bombPNG() []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), 0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0, 8, 2, 0, 0, 0)
	out = append(binary.BigEndian.AppendUint32(out, 13), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

// The whole of it: a message, its link, the page, the picture, and the row as everybody gets it.
func TestALinkBecomesAPreview(t *testing.T) {
	n := newInternet(t)
	n.serve("/a.png", "image/png", dot(t))
	n.serve("/bomb.png", "image/png", bombPNG())
	n.page("/good", `<title>好的</title><meta property="og:image" content="/a.png">`)
	n.page("/bomb", `<title>bomb</title><meta property="og:image" content="/bomb.png">`)
	dir := t.TempDir()
	data, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := files.Open(files.Config{Dir: filepath.Join(dir, "files"), Pixels: 40_000_000})
	if err != nil {
		t.Fatal(err)
	}
	p := push.NewPreviewer(push.PreviewConfig{Client: n.client})
	heard := make(chan *chat.Message, 100)
	service := chat.New(data, chat.Notifiers{p, hearer(heard)}, chat.Config{Previews: true, Files: kept})
	p.Start(service)
	defer func() {
		p.Close()
		if err := errors.Join(service.Close(context.Background()), data.Close(), kept.Close()); err != nil {
			t.Error(err)
		}
	}()
	alice, err := service.CreateMember(t.Context(), chat.NewMember{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	entered, err := service.Enter(t.Context(), alice, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	for link, width := range map[string]int{"http://example.org/good": 40, "http://example.org/bomb": 0} {
		if _, err := service.SendMessage(t.Context(), alice, chat.NewMessage{Group: entered.Group.ID, Text: "see " + link}); err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-heard:
			if m.Preview.URL != link || (m.Preview.Picture != nil) != (width > 0) {
				t.Fatalf("%s: got %+v", link, m.Preview)
			}
			if width > 0 && (m.Preview.Picture.Width != width || m.Preview.Picture.Type != "image/jpeg") {
				t.Errorf("%s: got %+v", link, m.Preview.Picture)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: no preview came", link)
		}
	}
}

// hearer takes the messages that changed and have a preview.
type hearer chan *chat.Message

func (h hearer) Notify(e chat.Event) {
	if e.Change != nil && e.Change.Message != nil && e.Change.Message.Preview != nil {
		h <- e.Change.Message
	}
}
