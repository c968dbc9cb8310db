package rest

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

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
	Code       chat.Code `json:"code" doc:"What a program acts on."`
	Message    string    `json:"message" doc:"What is wrong and what to do, in the language of Accept-Language (English or Chinese)."`
	RetryAfter int64     `json:"retryAfter,omitempty" doc:"Milliseconds after which trying again makes sense."`
	Until      chat.Time `json:"until,omitempty" doc:"With MUTED: until when."`
	Suggestion string    `json:"suggestion,omitempty" doc:"With NAME_TAKEN: a name that is free."`
}

// failure is the body of every answer that is none.
type failure struct {
	Refusal refusal `json:"error"`
}

// Error implements error.
func (f *failure) Error() string { return strings.ToLower(string(f.Refusal.Code)) }

// GetStatus implements huma.StatusError.
func (f *failure) GetStatus() int { return statuses[f.Refusal.Code] }

// GetHeaders implements huma.HeadersError.
func (f *failure) GetHeaders() http.Header {
	if f.Refusal.RetryAfter == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.FormatInt((f.Refusal.RetryAfter+999)/1000, 10)}}
}

// failure words an error for its reader. One that is no refusal is logged, and its reader learns only that it happened.
func (s *server) failure(r *http.Request, err error) *failure {
	refused, ok := errors.AsType[*chat.Error](err)
	switch {
	case ok:
	case r.Context().Err() != nil: // the reader went away
		refused = chat.Refuse(chat.CodeBusy, "the request was given up", "请求已中止")
	default:
		s.Logger.Error("request failed", "route", r.Pattern, "error", err) // a path may hold a secret
		refused = chat.Refuse(chat.CodeInternal, "internal error, try again", "服务器出错，请重试")
	}
	return &failure{refusal{
		Code:       refused.Code,
		Message:    refused.In(r.Header.Get("Accept-Language")),
		RetryAfter: int64((refused.RetryAfter + time.Millisecond - 1) / time.Millisecond),
		Until:      refused.Until,
		Suggestion: refused.Suggestion,
	}}
}

// fail answers with an error where the library is not asked.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := s.failure(r, err)
	for name, values := range f.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(f.GetStatus())
	_ = huma.DefaultJSONFormat.Marshal(w, f) // an error means that the reader went away
}

// reword turns what the library refuses into one of our refusals.
func (s *server) reword(ctx huma.Context, _ string, body any) (any, error) {
	theirs, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	x := exchangeOf(ctx.Context())
	f := s.failure(x.r, refusalOf(theirs))
	x.status = f.GetStatus()
	x.SetHeader("Content-Type", "application/json")
	return f, nil
}

// refusalOf never repeats a value that was sent: it might be a secret, and end in somebody's log.
func refusalOf(e *huma.ErrorModel) *chat.Error {
	switch {
	case e.Status == http.StatusRequestEntityTooLarge:
		return chat.Refuse(chat.CodeTooLarge, "the request is too large", "请求过大")
	case e.Status == http.StatusRequestTimeout:
		return chat.Refuse(chat.CodeInvalid, "the request did not arrive in time", "请求未能及时送达")
	case len(e.Errors) == 0:
		return chat.Refuse(chat.CodeInvalid, e.Detail, "请求有误")
	}
	first := e.Errors[0]
	where := strings.TrimPrefix(first.Location, "body.")
	return chat.Refuse(chat.CodeInvalid, where+": "+first.Message, where+" 不正确（"+first.Message+"）")
}

func refuseType() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, "Content-Type must be application/json", "Content-Type 必须是 application/json")
}

func refuseTooOften(wait time.Duration) *chat.Error {
	e := chat.Refuse(chat.CodeRateLimited, "too many requests, try again in a moment", "请求过于频繁，请稍后再试")
	e.RetryAfter = wait
	return e
}

func (s *server) noSuchRoute(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, refuseRoute())
}

func refuseRoute() *chat.Error {
	return chat.Refuse(chat.CodeNotFound, "there is no such request", "没有这个接口")
}
