package main_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// A page uploads, everybody in the room reads of it, and a plain client's reader has an address to open.
func TestAFileIsSentToARoom(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder)
	b := p.browser(t)
	b.signIn(t, "小明")
	id, url := b.upload(t, p.url, "words")

	seed := p.dial(t)
	seed.join("大厅", "小红")
	app := p.dial(t, withHeader("Cookie", b.cookie(t)), withHeader("Origin", p.url))
	app.join("大厅", "")
	app.must("sendMessage", object{"room": "大厅", "files": []string{id}})
	heard := seed.hears(3)[2]
	address, found := strings.CutPrefix(heard.Message, "[文件] 报告.txt "+p.url)
	if !found || heard.Kind != "file" || address != url {
		t.Fatalf("heard %+v, want the address %s", heard, url)
	}
	p.end(t)

	p = start(t, "--data", folder)
	answer, text := p.browser(t).do(t, "GET", address, "", "")
	if answer.StatusCode != http.StatusOK || text != "words" {
		t.Errorf("after a restart a stranger reads %d %s", answer.StatusCode, text)
	}
}

// upload uploads a file, and returns its id and where it is.
func (b *browser) upload(t *testing.T, server, words string) (id, url string) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "报告.txt")
	if err != nil {
		t.Fatal(err)
	}
	part.Write([]byte(words)) // into memory: cannot fail
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer, text := b.do(t, "POST", "/api/v1/files", form.String(), server, func(r *http.Request) {
		r.Header.Set("Content-Type", w.FormDataContentType())
	})
	var out struct{ File struct{ FileID, URL string } }
	if err := json.Unmarshal([]byte(text), &out); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s", answer.StatusCode, text)
	}
	return out.File.FileID, out.File.URL
}
