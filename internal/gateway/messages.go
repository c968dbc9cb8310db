package gateway

import (
	"context"

	"qun/internal/chat"
	"qun/internal/gateway/codec"
)

// sendMessageIn says something in a group, named by its id or by a name by which this socket entered it. A nickName
// that comes along is ignored: identity never comes from a payload.
type sendMessageIn struct {
	Room     text          `json:"room,omitempty"`
	GroupID  chat.GroupID  `json:"groupId,omitempty"`
	Message  text          `json:"message,omitempty"`
	ClientID string        `json:"clientId,omitempty"`
	ReplyTo  chat.Seq      `json:"replyTo,omitempty"`
	Files    []chat.FileID `json:"files,omitempty"`
	Mentions []chat.UserID `json:"mentions,omitempty"`
}

// decodeSend reads the request, by hand where it is as most are.
func decodeSend(r *request) (sendMessageIn, error) {
	if in, plain := codec.ReadSend(r.event.Args.Raw(0)); plain {
		return sendMessageIn{
			Room: text(in.Room), GroupID: in.GroupID, Message: text(in.Message), ClientID: in.ClientID, ReplyTo: in.ReplyTo,
		}, nil
	}
	return decode[sendMessageIn](r)
}

// sendMessage says something. On a socket that has not entered anything yet, it waits for that, unless somebody who is
// known names a group by its id: then the chat knows who is in it, and what was sent before.
func (g *Gateway) sendMessage(ctx context.Context, c *client, r *request) {
	in, err := decodeSend(r)
	if err != nil {
		r.refuse(err)
		return
	}
	r.room = string(in.Room)
	switch {
	case in.Message == "" && len(in.Files) == 0:
		r.refuseSilently(errEmpty)
	case !c.isAdmitted() && (in.GroupID == "" || c.who() == nil):
		if !c.wait(r, in) {
			r.refuse(errNotIn)
		}
	default:
		g.post(ctx, c, r, in)
	}
}

// post hands a message to the chat. It was stored, and the group has heard of it, before the sender has its ack.
func (g *Gateway) post(ctx context.Context, c *client, r *request, in sendMessageIn) {
	who := c.who()
	if who == nil {
		r.refuse(errNobody)
		return
	}
	group := in.GroupID
	if group == "" {
		named, ok := c.named(string(in.Room))
		if !ok {
			r.refuse(errNotIn)
			return
		}
		group = named
	}
	sent, err := g.chat.SendMessage(ctx, who, chat.NewMessage{
		Group: group, Entered: c.isIn(group), Text: string(in.Message), ClientID: in.ClientID,
		ReplyTo: in.ReplyTo, Files: in.Files, Mentions: in.Mentions,
	})
	if err != nil {
		r.refuse(err)
		return
	}
	r.answer(sent)
}

// history is a page of a group's messages.
func (g *Gateway) history(ctx context.Context, _ *client, who *chat.User, in chat.HistoryQuery) (*chat.History, error) {
	return g.chat.History(ctx, who, in)
}
