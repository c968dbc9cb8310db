package rest

import (
	"io"
	"net/http"
)

// health answers 200 while the server can do its work, and 503 with a word why when it cannot.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if s.Healthy != nil {
		if err := s.Healthy(r.Context()); err != nil {
			s.Logger.Error("not healthy", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, "not healthy, see the log\n")
			return
		}
	}
	io.WriteString(w, "ok\n")
}
