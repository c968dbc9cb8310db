package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins may read answers. It does not decide who may connect, which Config.CheckOrigin does.
type CORS struct {
	// Origin is sent as Access-Control-Allow-Origin: "*" or one origin. If it is empty, the origin that asks is sent back if
	// it is one of Origins or Allow says so; Allow may be nil.
	Origin  string
	Origins []string
	Allow   func(origin string) bool
	// Credentials lets pages send cookies. Browsers ignore it beside "*".
	Credentials bool
	// Methods are those that pages may use. Empty means GET, HEAD, PUT, PATCH, POST and DELETE.
	Methods []string
	// AllowedHeaders and ExposedHeaders are sent as they are; empty AllowedHeaders allow what the browser asks for.
	AllowedHeaders, ExposedHeaders []string
	// MaxAge is how long a browser may remember the answer to a preflight. 0 leaves that to the browser.
	MaxAge time.Duration
}

// Serve sets the headers of an answer; done says that the request was a preflight, and has been answered. A Server calls
// it for its own answers; a nil CORS does nothing.
func (c *CORS) Serve(w http.ResponseWriter, r *http.Request) (done bool) {
	if c == nil {
		return false
	}
	h := w.Header()
	if origin := c.allowed(r.Header.Get("Origin")); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		if c.Credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		if len(c.ExposedHeaders) > 0 {
			h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
		}
	}
	if c.Origin != "*" {
		h.Add("Vary", "Origin")
	}
	if r.Method != http.MethodOptions {
		return false
	}
	c.preflight(h, r.Header.Get("Access-Control-Request-Headers"))
	w.WriteHeader(http.StatusNoContent)
	return true
}

// preflight says what the request may do that the browser asks about.
func (c *CORS) preflight(h http.Header, asked string) {
	methods := "GET,HEAD,PUT,PATCH,POST,DELETE"
	if len(c.Methods) > 0 {
		methods = strings.Join(c.Methods, ",")
	}
	h.Set("Access-Control-Allow-Methods", methods)
	if len(c.AllowedHeaders) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowedHeaders, ","))
	} else {
		h.Add("Vary", "Access-Control-Request-Headers")
		if asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	}
	h.Set("Content-Length", "0")
}

func (c *CORS) allowed(origin string) string {
	switch {
	case c.Origin != "":
		return c.Origin
	case origin != "" && (slices.Contains(c.Origins, origin) || c.Allow != nil && c.Allow(origin)):
		return origin
	default:
		return ""
	}
}
