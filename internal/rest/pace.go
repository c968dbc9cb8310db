package rest

import (
	"net/http"
	"time"
)

// pace gives each write of an answer its own time: who takes nothing for as long as patience is cut, who takes it slowly
// is not, however long the whole takes.
func pace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&pacedWriter{w, http.NewResponseController(w)}, r)
	})
}

// pacedWriter has no ReadFrom: what is copied to it comes in pieces of some kilobytes.
type pacedWriter struct {
	http.ResponseWriter
	deadlines *http.ResponseController
}

func (w *pacedWriter) Write(piece []byte) (int, error) {
	_ = w.deadlines.SetWriteDeadline(time.Now().Add(patience)) // not every writer can
	return w.ResponseWriter.Write(piece)
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
