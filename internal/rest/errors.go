package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"qun/internal/chat"
)

// statuses is the one place where a refusal of the chat becomes an HTTP status.
var statuses = map[chat.Code]int{
	chat.CodeBusy:         http.StatusServiceUnavailable,
	chat.CodeRateLimited:  http.StatusTooManyRequests,
	chat.CodeSlowMode:     http.StatusTooManyRequests,
	chat.CodeInternal:     http.StatusInternalServerError,
	chat.CodeNotInRoom:    http.StatusConflict,
	chat.CodeInvalid:      http.StatusBadRequest,
	chat.CodeUnauthorized: http.StatusUnauthorized,
	chat.CodeForbidden:    http.StatusForbidden,
	chat.CodeNotFound:     http.StatusNotFound,
	chat.CodeNameTaken:    http.StatusConflict,
	chat.CodeConflict:     http.StatusConflict,
	chat.CodeMuted:        http.StatusForbidden,
	chat.CodeTooLarge:     http.StatusRequestEntityTooLarge,
}

// refusal is a chat.Error as HTTP shows it, the same shape as in an ack.
type refusal struct {
	Code       chat.Code `json:"code"`
	Message    string    `json:"message"`
	RetryAfter int64     `json:"retryAfter,omitempty"` // milliseconds
	Until      chat.Time `json:"until,omitempty"`
	Suggestion string    `json:"suggestion,omitempty"`
}

// fail answers with an error. One that is no refusal is logged, and its reader learns only that it happened.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	refused, ok := errors.AsType[*chat.Error](err)
	if !ok {
		s.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		refused = chat.Refuse(chat.CodeInternal, "internal error, try again", "服务器出错，请重试")
	}
	if refused.RetryAfter > 0 {
		seconds := (refused.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	answer(w, statuses[refused.Code], struct {
		Error refusal `json:"error"`
	}{refusal{
		Code:       refused.Code,
		Message:    refused.In(r.Header.Get("Accept-Language")),
		RetryAfter: int64((refused.RetryAfter + time.Millisecond - 1) / time.Millisecond),
		Until:      refused.Until,
		Suggestion: refused.Suggestion,
	}})
}

// answer writes JSON that no cache may keep.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // an error means that the reader went away
}

func (s *server) noSuchRoute(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, chat.Refuse(chat.CodeNotFound, "there is no such request", "没有这个接口"))
}
