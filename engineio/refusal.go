package engineio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A RefusalCode says why a request was refused, in the numbers of the Engine.IO protocol.
type RefusalCode int

const (
	RefusedTransport RefusalCode = 0 // unknown or disabled transport
	RefusedSession   RefusalCode = 1 // unknown session id
	RefusedMethod    RefusalCode = 2 // a handshake that is not a GET
	RefusedRequest   RefusalCode = 3 // anything else that does not fit the session
	RefusedForbidden RefusalCode = 4 // Config.CheckOrigin or Config.Admit said no
	RefusedProtocol  RefusalCode = 5 // not protocol version 4
)

var refusalText = [...]string{
	RefusedTransport: "Transport unknown",
	RefusedSession:   "Session ID unknown",
	RefusedMethod:    "Bad handshake method",
	RefusedRequest:   "Bad request",
	RefusedForbidden: "Forbidden",
	RefusedProtocol:  "Unsupported protocol version",
}

// A Refusal is an error of Config.Admit that says how the handshake is answered.
type Refusal struct {
	Status     int           // HTTP status; 0 means 403
	Message    string        // shown to the peer; "" means "Forbidden"
	RetryAfter time.Duration // if not 0, sent as Retry-After, in whole seconds
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("refused with status %d: %s", r.Status, r.Message)
}

// refuse answers a request that cannot be served, with the code's standard text.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, code RefusalCode) {
	s.refuseWith(w, r, code, &Refusal{Status: http.StatusBadRequest, Message: refusalText[code]})
}

// forbid answers a request that CheckOrigin or Admit refused.
func (s *Server) forbid(w http.ResponseWriter, r *http.Request, err error) {
	answer := Refusal{Status: http.StatusForbidden, Message: refusalText[RefusedForbidden]}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		answer = *refusal
		if answer.Status == 0 {
			answer.Status = http.StatusForbidden
		}
		if answer.Message == "" {
			answer.Message = refusalText[RefusedForbidden]
		}
	}
	s.refuseWith(w, r, RefusedForbidden, &answer)
}

// noteRefusal tells the log and the Observer.
func (s *Server) noteRefusal(r *http.Request, code RefusalCode, message string) {
	s.cfg.Logger.Debug("request refused", "code", int(code), "message", message, "remote", r.RemoteAddr)
	s.guard("observer", func() {
		s.cfg.Observer.Refused(code)
		if o, curious := s.cfg.Observer.(RefusalObserver); curious {
			o.RefusedRequest(r, code, message)
		}
	})
}

// refuseWith writes the refusal as its reader expects it: JSON to a polling client; to a WebSocket client, which
// cannot see a body, plain text with status 400 unless a status such as 429 says more.
func (s *Server) refuseWith(w http.ResponseWriter, r *http.Request, code RefusalCode, answer *Refusal) {
	s.noteRefusal(r, code, answer.Message)
	limitAnswer(w)
	if answer.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((answer.RetryAfter+time.Second-1)/time.Second)))
	}
	w.Header().Set("Cache-Control", "no-store")
	if wantsUpgrade(r) {
		status := answer.Status
		if status == http.StatusForbidden {
			status = http.StatusBadRequest
		}
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		io.WriteString(w, answer.Message)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.Status)
	body, _ := json.Marshal(struct {
		Code    RefusalCode `json:"code"`
		Message string      `json:"message"`
	}{code, answer.Message}) // a struct of a number and a string always marshals
	w.Write(body)
}
