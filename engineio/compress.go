package engineio

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// encodings are the ways in which the body of a poll may be compressed, the preferred one first (RFC 9110, 8.4.1).
var encodings = [...]struct {
	name    string
	writers *sync.Pool // they are large, and few are needed at a time
}{
	{"gzip", &sync.Pool{New: func() any { return must(gzip.NewWriterLevel(nil, flate.BestSpeed)) }}},
	{"deflate", &sync.Pool{New: func() any { return must(zlib.NewWriterLevel(nil, flate.BestSpeed)) }}},
}

// A compressor is a writer of compress/gzip or compress/zlib.
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// must is for constructors that fail only for a level of compression that does not exist.
func must[W any](w W, err error) W {
	if err != nil {
		panic(err)
	}
	return w
}

// compress returns the body of a poll as its client likes it best, and says so in the header.
func (s *Server) compress(h http.Header, r *http.Request, body []byte) []byte {
	if s.cfg.DisableCompression || len(body) < s.cfg.CompressionThreshold {
		return body
	}
	chosen := chooseEncoding(r.Header["Accept-Encoding"])
	for _, e := range encodings {
		if e.name == chosen {
			h.Set("Content-Encoding", chosen)
			return compressWith(e.writers, body)
		}
	}
	return body
}

func compressWith(writers *sync.Pool, body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) / 2)
	w := writers.Get().(compressor)
	w.Reset(&out)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	w.Reset(nil)
	writers.Put(w)
	return out.Bytes()
}

// chooseEncoding returns which of the encodings a client accepts, going by its Accept-Encoding headers, or "" if it would
// rather have the body as it is (RFC 9110, 12.5.3).
func chooseEncoding(accept []string) (chosen string) {
	weights := map[string]float64{}
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case "gzip", "deflate", "identity", "*":
				weights[name] = quality(parameters)
			}
		}
	}
	best := 0.0
	for _, e := range encodings {
		weight, said := weights[e.name]
		if !said {
			weight = weights["*"]
		}
		if weight > best && weight >= weights["identity"] {
			chosen, best = e.name, weight
		}
	}
	return chosen
}

// quality is the weight among the parameters of an encoding: from 0, which means never, to 1, which it is if nothing is said.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) { // NaN is no weight either
			return 0
		}
		return q
	}
	return 1
}
