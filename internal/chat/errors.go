package chat

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Code is what a client acts on when it was refused; one table for Socket.IO and HTTP.
type Code string

const (
	// Try again, with the same clientId.
	CodeBusy        Code = "BUSY"
	CodeRateLimited Code = "RATE_LIMITED"
	CodeSlowMode    Code = "SLOW_MODE"
	CodeInternal    Code = "INTERNAL"

	// Enter first: visible to me, not entered.
	CodeNotInRoom Code = "NOT_IN_ROOM"

	// Final: show it.
	CodeInvalid      Code = "INVALID"
	CodeUnauthorized Code = "UNAUTHORIZED"
	CodeForbidden    Code = "FORBIDDEN"
	CodeNotFound     Code = "NOT_FOUND" // absent, and not mine to see, alike
	CodeNameTaken    Code = "NAME_TAKEN"
	CodeConflict     Code = "CONFLICT"
	CodeMuted        Code = "MUTED"
	CodeTooLarge     Code = "TOO_LARGE"
)

// Error is a refusal that its user may see: the code for the program, the message for the person. Any other error of
// a Service is an accident: to be logged once and shown as CodeInternal.
type Error struct {
	Code       Code
	Message    string        // English; says what to do next
	Chinese    string        // the same in Chinese
	RetryAfter time.Duration // when trying again makes sense; 0 is "not said"
	Until      Time          // with CodeMuted
	Suggestion string        // with CodeNameTaken: a name that is free
}

func (e *Error) Error() string { return strings.ToLower(string(e.Code)) + ": " + e.Message }

// In is e's message in a locale such as "zh-CN"; English where the locale is not Chinese.
func (e *Error) In(locale string) string {
	if strings.HasPrefix(strings.ToLower(locale), "zh") && e.Chinese != "" {
		return e.Chinese
	}
	return e.Message
}

// Refuse makes a refusal in both languages.
func Refuse(code Code, english, chinese string) *Error {
	return &Error{Code: code, Message: english, Chinese: chinese}
}

func refusef(code Code, english, chinese string, args ...any) *Error {
	return Refuse(code, fmt.Sprintf(english, args...), fmt.Sprintf(chinese, args...))
}

// MarshalJSON writes {code, message, retryAfter? (milliseconds), until?, suggestion?}, the error of the protocol.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code       Code   `json:"code"`
		Message    string `json:"message"`
		RetryAfter int64  `json:"retryAfter,omitempty"`
		Until      Time   `json:"until,omitempty"`
		Suggestion string `json:"suggestion,omitempty"`
	}{e.Code, e.Message, e.RetryAfter.Milliseconds(), e.Until, e.Suggestion})
}
