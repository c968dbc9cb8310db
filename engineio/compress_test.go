package engineio_test

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"qun/engineio"
)

// plain decompresses an answer, and says how it was compressed.
func plain(t *testing.T, got response) (body, encoding string) {
	t.Helper()
	var r io.Reader = strings.NewReader(got.body)
	var err error
	encoding = got.header.Get("Content-Encoding")
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatalf("%s: %v", encoding, err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", encoding, err)
	}
	return string(content), encoding
}

func TestLargePollsAreCompressedAsTheClientLikes(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		for accept, want := range map[string]string{
			"":                                "",
			"gzip":                            "gzip",
			"GZIP":                            "gzip",
			"deflate":                         "deflate",
			"gzip, deflate, br":               "gzip",
			"deflate, gzip":                   "gzip",
			"gzip;q=0.5, deflate;q=0.8":       "deflate",
			"gzip;q=0, deflate":               "deflate",
			"gzip ; Q=0 , deflate ; x=1;q=.1": "deflate",
			"gzip;q=0":                        "",
			"gzip;q=2":                        "",
			"gzip;q=nan":                      "",
			"*":                               "gzip",
			"*;q=0":                           "",
			"gzip;q=0, *":                     "deflate",
			"identity":                        "",
			"identity, gzip":                  "gzip",
			"identity, gzip;q=0.5":            "",
			"br, zstd":                        "",
			",;,=;q=,":                        "",
		} {
			message := "4" + strings.Repeat("群", 1000)
			s.Send(text(message[1:]))
			got := w.do("GET", p.query(), "", http.Header{"Accept-Encoding": {accept}})
			body, encoding := plain(t, got)
			if got.status != http.StatusOK || body != message || encoding != want {
				t.Errorf("%q: got %d, %d bytes, encoding %q; want %d and %q", accept, got.status, len(body), encoding, len(message), want)
			}
			if want != "" && len(got.body) > 200 {
				t.Errorf("%q: %d bytes, want fewer", accept, len(got.body))
			}
		}
	})
}

func TestSmallPollsAreNotCompressed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		for _, c := range []struct {
			cfg  engineio.Config
			size int // of the whole body
			want string
		}{
			{engineio.Config{}, 1023, ""},
			{engineio.Config{}, 1024, "gzip"},
			{engineio.Config{CompressionThreshold: 100}, 100, "gzip"},
			{engineio.Config{DisableCompression: true}, 5000, ""},
		} {
			w := start(t, f, nil, c.cfg)
			p, s := w.poll()
			s.Send(text(repeat(c.size - 1)))
			got := w.do("GET", p.query(), "", http.Header{"Accept-Encoding": {"gzip"}})
			if body, encoding := plain(t, got); len(body) != c.size || encoding != c.want {
				t.Errorf("%+v: got %d bytes, encoding %q, want %d, %q", c.cfg, len(body), encoding, c.size, c.want)
			}
		}
	})
}
