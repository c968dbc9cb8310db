package socketio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
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
			content, err := fs.ReadFile(files, name)
			if err != nil {
				continue
			}
			b.files[name] = &bundleFile{name: name, content: content}
			if found := bundleVersion.FindSubmatch(content[:min(len(content), 256)]); found != nil {
				version = string(found[1])
			}
		}
	}
	for _, f := range b.files {
		f.tag = f.etag(version)
	}
	return b
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
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.content))
}

var contentTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".map": "application/json; charset=utf-8",
}
