package rest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// compressFrom is the size from which compressing pays.
const compressFrom = 1024

// assets serves files that never change while the process runs: each is read, hashed and compressed once, when first
// asked for.
type assets struct {
	files fs.FS

	mu     sync.Mutex // guards loaded; held while a file is loaded, which happens once for each
	loaded map[string]*asset
}

// asset is a file in the forms in which it is sent.
type asset struct {
	kind   string // Content-Type
	tag    string // of the plain form
	plain  []byte
	zipped []byte // nil if compressing does not pay
}

func newAssets(files fs.FS) *assets { return &assets{files: files, loaded: map[string]*asset{}} }

// serve answers with a file, compressed for those who take it. Caches are told how long it holds.
func (a *assets) serve(w http.ResponseWriter, r *http.Request, name, caching string) {
	file, err := a.load(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	body, tag := file.plain, file.tag
	if file.zipped != nil && r.Header.Get("Range") == "" && takesGzip(r) {
		body, tag = file.zipped, file.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// load reads the file when it is first asked for. Only names that exist are remembered, so guesses cost no memory.
func (a *assets) load(name string) (*asset, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if file := a.loaded[name]; file != nil {
		return file, nil
	}
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	plain, err := fs.ReadFile(a.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	file := &asset{kind: kindOf(name), tag: hex.EncodeToString(sum[:12]), plain: plain, zipped: zipped(plain)}
	a.loaded[name] = file
	return file, nil
}

// kinds names the types itself where systems disagree or know nothing.
var kinds = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".mjs":         "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".ico":         "image/x-icon",
	".woff2":       "font/woff2",
	".webmanifest": "application/manifest+json",
	".txt":         "text/plain; charset=utf-8",
}

func kindOf(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if kind, ok := kinds[ext]; ok {
		return kind
	}
	if kind := mime.TypeByExtension(ext); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// zipped is plain compressed as well as possible, or nil if that does not save a tenth.
func zipped(plain []byte) []byte {
	if len(plain) < compressFrom {
		return nil
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	_, _ = z.Write(plain) // into memory: cannot fail
	_ = z.Close()
	if out.Len() > len(plain)/10*9 {
		return nil
	}
	return out.Bytes()
}

// takesGzip reads Accept-Encoding as far as it matters: gzip or * named, and not with a weight of zero.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding != "gzip" && coding != "*" {
			continue
		}
		weight = strings.ReplaceAll(strings.TrimSpace(weight), " ", "")
		return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
	}
	return false
}
