package rest

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// forever is for files whose name changes with their content.
const (
	forever    = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
)

// servePlain serves the page of the smallest client at /plain and its files below.
func (s *server) servePlain(mux *http.ServeMux) {
	if s.Plain == nil {
		return
	}
	files := newAssets(s.Plain)
	mux.HandleFunc("GET /plain", func(w http.ResponseWriter, r *http.Request) {
		files.serve(w, r, "index.html", revalidate)
	})
	mux.HandleFunc("GET /plain/{file...}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("file")
		if name == "" { // the page's own links are relative to /plain
			http.Redirect(w, r, "/plain", http.StatusMovedPermanently)
			return
		}
		files.serve(w, r, name, revalidate)
	})
}

// serveAccount serves the page that takes codes and signs people in, at /account, and its files below, while there is no
// app, which has a better one there.
func (s *server) serveAccount(mux *http.ServeMux) {
	if s.Account == nil || s.App != nil {
		return
	}
	files := newAssets(s.Account)
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		files.serve(w, r, "index.html", revalidate)
	})
	mux.HandleFunc("GET /account/{file}", func(w http.ResponseWriter, r *http.Request) {
		files.serve(w, r, r.PathValue("file"), revalidate)
	})
}

// serveApp serves the files of the web app, and its page at every address the app routes by itself.
func (s *server) serveApp(mux *http.ServeMux) {
	if s.App == nil {
		mux.HandleFunc("GET /{$}", notBuilt)
		mux.HandleFunc("GET /g/", notBuilt)
		mux.HandleFunc("GET /i/", notBuilt)
		return
	}
	files := newAssets(s.App)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET is possible here", http.StatusMethodNotAllowed)
		case strings.HasPrefix(name, "assets/"):
			files.serve(w, r, name, forever)
		case isFile(s.App, name):
			files.serve(w, r, name, revalidate)
		case isPage(r, name):
			files.serve(w, r, "index.html", revalidate)
		default:
			http.NotFound(w, r)
		}
	})
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

// isPage tells an address of the app from the name of a file that is missing. Groups may be called anything.
func isPage(r *http.Request, name string) bool {
	return name == "" || strings.HasPrefix(name, "g/") || strings.HasPrefix(name, "i/") ||
		path.Ext(name) == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

const notBuiltPage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Qun</title></head>
<body>
<h1>Qun is running, without its web app</h1>
<p>This binary was built without the app. Build both with <code>make build</code>, or start them with <code>make run</code>.</p>
<p>Any Socket.IO client can chat here already.</p>
<h1 lang="zh">群已启动，但不含网页应用</h1>
<p lang="zh">请运行 <code>make build</code> 一并构建，或用 <code>make run</code> 启动。任何 Socket.IO 客户端现在就可以聊天。</p>
</body>
</html>
`

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write([]byte(notBuiltPage))
}
