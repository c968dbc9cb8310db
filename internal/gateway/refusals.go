package gateway

import (
	"context"
	"errors"
	"time"

	"qun/internal/chat"
	"qun/socketio"
)

// refusalAnswer is the ack of a refused request.
type refusalAnswer struct {
	OK    bool    `json:"ok"`
	Error refusal `json:"error"`
}

// refusal is a chat.Error on the wire.
type refusal struct {
	Code       chat.Code `json:"code"`
	Message    string    `json:"message"`
	RetryAfter int64     `json:"retryAfter,omitempty"` // milliseconds
	Until      chat.Time `json:"until,omitempty"`
	Suggestion string    `json:"suggestion,omitempty"`
	Supported  []int     `json:"supported,omitempty"` // protocol versions, to a hello with another one
}

func wireRefusal(e *chat.Error, language string) refusal {
	r := refusal{
		Code:       e.Code,
		Message:    e.In(language),
		RetryAfter: milliseconds(e.RetryAfter),
		Until:      e.Until,
		Suggestion: e.Suggestion,
	}
	if e == errProtocol {
		r.Supported = []int{protocol}
	}
	return r
}

// milliseconds rounds up: who comes back a moment too early is refused again.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// The refusals that are the gateway's own.
var (
	errProtocol     = chat.Refuse(chat.CodeInvalid, "this protocol version is not supported, update the client", "不支持此协议版本，请更新客户端")
	errNobody       = chat.Refuse(chat.CodeUnauthorized, "nobody has signed in on this connection: enter a room with a nickname first", "尚未登录：请先用昵称进入一个房间")
	errEmpty        = chat.Refuse(chat.CodeInvalid, "a message must be a text that is not empty", "消息不能为空")
	errNotIn        = chat.Refuse(chat.CodeNotInRoom, "you are not in that room: enter it first", "你不在这个房间里：请先进入房间")
	errTooManyAsked = chat.Refuse(chat.CodeTooLarge, "ask after at most 200 users at once", "一次最多查询 200 个用户")
	errUnknown      = chat.Refuse(chat.CodeInvalid, "there is no such request", "没有这个请求")
	errTooMany      = chat.Refuse(chat.CodeTooLarge, "this connection is in too many rooms", "此连接进入的房间过多")
	errInternal     = chat.Refuse(chat.CodeInternal, "something went wrong on the server, try again", "服务器出错，请重试")
	errTooSlow      = chat.Refuse(chat.CodeBusy, "the server is busy, try again", "服务器繁忙，请重试")
)

// errUnauthorized is the one CONNECT_ERROR there is: clients do not come back after it.
var errUnauthorized = &socketio.Error{
	Message: "this sign-in is not valid (any more); sign in again",
	Data: struct {
		Code chat.Code `json:"code"`
	}{chat.CodeUnauthorized},
}

// refusalOf is what a client may see of an error. An accident is logged here, once.
func (g *Gateway) refusalOf(request string, err error) *chat.Error {
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		return refused
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errTooSlow
	case errors.Is(err, socketio.ErrDisconnected): // nobody is there to read it
		return errTooSlow
	case errors.Is(err, socketio.ErrTooManyRooms):
		return errTooMany
	}
	g.cfg.Logger.Error("request failed", "request", request, "error", err)
	return errInternal
}
