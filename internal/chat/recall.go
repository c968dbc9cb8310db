package chat

import (
	"context"
	"strconv"
	"time"
)

// Recalled is a message after it was recalled, and what it said: for its author, who may want to say it better.
type Recalled struct {
	Message *Message `json:"message"`
	Before  *Words   `json:"before,omitempty"` // to the author, at the recall itself
}

// Words are what a message said.
type Words struct {
	Text     string   `json:"message"`
	Mentions []UserID `json:"mentions,omitempty"`
	ReplyTo  Seq      `json:"replyTo,omitempty"`
}

// RecallMessage empties a message of everything that was said: by's own while it is young enough, as an owner or admin
// anybody's at any time. The row, its number and its place in the counts stay.
func (s *Service) RecallMessage(ctx context.Context, by *User, id GroupID, seq Seq) (*Recalled, error) {
	recalled := &Recalled{}
	message, err := s.changeMessage(ctx, by, id, seq, ActSend, func(a *messageAct) error {
		recalled.Before = nil
		if a.message.RecalledAt != 0 {
			return nil
		}
		if err := a.refuseRecall(s.Limits().RecallWithin); err != nil {
			return err
		}
		if a.message.UserID != by.ID {
			return a.takeBack()
		}
		if m := a.message; m.Kind == MessageText {
			recalled.Before = &Words{Text: m.Text, Mentions: m.Mentions, ReplyTo: m.ReplyTo}
		}
		a.message.empty(a.now())
		return a.put()
	})
	if err != nil {
		return nil, err
	}
	recalled.Message = message
	return recalled, nil
}

func (a *messageAct) refuseRecall(limit time.Duration) error {
	switch {
	case !a.message.Kind.Countable():
		return refuseLine()
	case a.permit(a.group, a.me, a.who, ActRecall) == nil:
		return nil
	case a.message.UserID != a.who.ID:
		return refuseNotMine()
	case a.late(limit):
		return refuseLateRecall(limit)
	}
	return nil
}

// takeBack recalls what somebody else said, which is a use of power.
func (a *messageAct) takeBack() error {
	a.message.empty(a.now())
	if err := a.put(); err != nil {
		return err
	}
	return a.audit(auditRecall, a.message.UserID, strconv.FormatInt(int64(a.message.Seq), 10))
}

// auditRecall is what the audit calls it; its value is the message's seq.
const auditRecall = "recall"

// empty leaves of a message that it was there.
func (m *Message) empty(now Time) {
	m.Text, m.Mentions, m.Files, m.Reactions, m.Preview = "", nil, nil, nil, nil
	m.PinnedAt, m.RecalledAt = 0, now
}
