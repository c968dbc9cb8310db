package socketio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bundleNames are the files of the official client that are served, each with its source map.
var bundleNames = []string{"socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"}

// A bundle is the official browser client.
type bundle struct{ files map[string]*bundleFile }

// A bundleFile is one of its files, with its ETag.
type bundleFile struct {
	name, tag string
	content   []byte
	brotli    []byte        // nil if it was not beside the file
	gzip      func() []byte // from beside the file, or made when it is first asked for
}

// newBundle reads what is there of the client.
func newBundle(files fs.FS) *bundle {
	b := &bundle{files: make(map[string]*bundleFile)}
	if files == nil {
		return b
	}
	version := ""
	for _, script := range bundleNames {
		for _, name := range []string{script, script + ".map"} {
			f := newBundleFile(files, name)
			if f == nil {
				continue
			}
			b.files[name] = f
			if found := bundleVersion.FindSubmatch(f.content[:min(len(f.content), 256)]); found != nil {
				version = string(found[1])
			}
		}
	}
	for _, f := range b.files {
		f.tag = f.etag(version)
	}
	return b
}

// newBundleFile reads a file, and its compressed forms as far as they are beside it. It returns nil if there is none.
func newBundleFile(files fs.FS, name string) *bundleFile {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return nil
	}
	f := &bundleFile{name: name, content: content}
	if compressed, err := fs.ReadFile(files, name+".br"); err == nil {
		f.brotli = compressed
	}
	if compressed, err := fs.ReadFile(files, name+".gz"); err == nil {
		f.gzip = func() []byte { return compressed }
	} else {
		f.gzip = sync.OnceValue(func() []byte { return compressOnce(content) })
	}
	return f
}

// compressOnce compresses as well as it goes: it is done once for all clients.
func compressOnce(content []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // which exists
	_, _ = w.Write(content)                                 // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// bundleVersion finds the version in the comment at the beginning of the scripts.
var bundleVersion = regexp.MustCompile(`Socket\.IO v([0-9A-Za-z.+-]+)`)

// etag is the client's version, as other servers have it, or else made of the content.
func (f *bundleFile) etag(version string) string {
	if version == "" {
		sum := sha256.Sum256(f.content)
		version = hex.EncodeToString(sum[:10])
	}
	return `"` + version + `"`
}

// file returns the file of the client that is asked for, or nil.
func (b *bundle) file(r *http.Request) *bundleFile {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
		return nil
	}
	_, name := path.Split(r.URL.Path)
	return b.files[name]
}

// ServeHTTP answers with the file, or with 304 to who has it.
func (f *bundleFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(f.name)])
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("ETag", f.tag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.encode(h, r)))
}

// encode returns the content in the smallest form that the client accepts. A request for a range gets it as it is.
func (f *bundleFile) encode(h http.Header, r *http.Request) []byte {
	switch {
	case r.Header.Get("Range") != "":
	case f.brotli != nil && accepts(r, "br"):
		h.Set("Content-Encoding", "br")
		return f.brotli
	case accepts(r, "gzip") && len(f.gzip()) < len(f.content):
		h.Set("Content-Encoding", "gzip")
		return f.gzip()
	}
	return f.content
}

// accepts says whether the client has named the encoding, and not with the weight zero (RFC 9110, 12.5.3).
func accepts(r *http.Request, encoding string) bool {
	for item := range strings.SplitSeq(strings.Join(r.Header["Accept-Encoding"], ","), ",") {
		name, parameters, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		_, weight, weighed := strings.Cut(strings.ReplaceAll(parameters, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !weighed || (err == nil && q > 0)
	}
	return false
}

var contentTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".map": "application/json; charset=utf-8",
}
