package gateway

import (
	"context"
	"time"

	"qun/internal/chat"
)

// What a socket may send before it entered anything: the official client flushes what was typed offline before its
// connect handler runs, so a page's first joinRoom can come after it.
const (
	waitTime  = 2 * time.Second
	waitSends = 32
	waitBytes = 64 << 10
)

// noticeEvery is how often a plain client is told why something was refused.
const noticeEvery = 3 * time.Second

// noticeName is who speaks in a notice.
const noticeName = "系统"

// notice is a message that tells one plain client what went wrong. It has no number and is kept by nobody.
type notice struct {
	Kind     chat.MessageKind `json:"kind"`
	NickName string           `json:"nickName"`
	Message  string           `json:"message"`
	Room     string           `json:"room,omitempty"` // as the client called it
	SentAt   chat.Time        `json:"sentAt"`
}

// notice tells a plain client why something was refused, and what to do.
func (c *client) notice(room string, refused *chat.Error) {
	now := c.gateway.cfg.Now()
	c.mu.Lock()
	silent := !c.noticed.IsZero() && now.Sub(c.noticed) < noticeEvery
	if !silent {
		c.noticed = now
	}
	c.mu.Unlock()
	if silent {
		return
	}
	c.socket.Emit("message", notice{
		Kind: chat.MessageNotice, NickName: noticeName, Message: refused.In("zh"), Room: room, SentAt: chat.TimeOf(now),
	})
}

// waitingSends are sends that came before the socket entered anything, in order. The client's mutex guards them.
type waitingSends struct {
	sends []waitingSend
	bytes int
	timer *time.Timer
}

type waitingSend struct {
	request *request
	in      sendMessageIn
	size    int // of the payload, in bytes
	until   time.Time
}

func (c *client) isAdmitted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admitted
}

// wait keeps a send until the socket has entered something. It reports whether there was room.
func (c *client) wait(r *request, in sendMessageIn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &c.waiting
	size := len(r.event.Args.Raw(0))
	if len(w.sends) == waitSends || w.bytes+size > waitBytes {
		return false
	}
	w.sends = append(w.sends, waitingSend{r, in, size, time.Now().Add(waitTime)})
	w.bytes += size
	if w.timer == nil {
		w.timer = time.AfterFunc(waitTime, c.waitedTooLong)
	}
	return true
}

// waitedTooLong refuses what nobody entered a room for.
func (c *client) waitedTooLong() {
	c.mu.Lock()
	expired := c.waiting.expire(time.Now())
	if len(c.waiting.sends) > 0 {
		c.waiting.timer = time.AfterFunc(time.Until(c.waiting.sends[0].until), c.waitedTooLong)
	}
	c.mu.Unlock()
	for _, send := range expired {
		send.request.refuse(errNotIn)
	}
}

// expire takes what has waited long enough.
func (w *waitingSends) expire(now time.Time) (expired []waitingSend) {
	for len(w.sends) > 0 && !w.sends[0].until.After(now) {
		w.bytes -= w.sends[0].size
		expired = append(expired, w.sends[0])
		w.sends = w.sends[1:]
	}
	if len(w.sends) == 0 {
		w.drop()
	}
	return expired
}

// drop forgets all.
func (w *waitingSends) drop() {
	if w.timer != nil {
		w.timer.Stop()
	}
	*w = waitingSends{}
}

// admit says that the socket has entered something, and handles what waited for that.
func (g *Gateway) admit(ctx context.Context, c *client) {
	c.mu.Lock()
	c.admitted = true
	sends := c.waiting.sends
	c.waiting.drop()
	c.mu.Unlock()
	for _, send := range sends {
		g.post(ctx, c, send.request, send.in)
	}
}
