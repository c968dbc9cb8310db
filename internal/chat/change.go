package chat

import (
	"context"
	"errors"
	"time"
)

// messageAct is an act on a message, under the group's lock.
type messageAct struct {
	*deed
	message *Message
}

// changeMessage lets by do an act on a message it can read, and answers the row as it is then, as by sees it. What do leaves
// as it was takes no number.
func (s *Service) changeMessage(ctx context.Context, by *User, id GroupID, seq Seq, act Act, do func(*messageAct) error) (*Message, error) {
	var changed *Message
	err := s.act(ctx, by, id, act, func(d *deed) error {
		if !d.me.Active() {
			return refuseSilent()
		}
		m, err := d.tx.Message(seq)
		if errors.Is(err, ErrNotFound) || err == nil && seq < firstSeq(d.group, d.me) {
			return refuseMessage()
		} else if err != nil {
			return err
		}
		a := &messageAct{d, m}
		if err := do(a); err != nil {
			return err
		}
		changed, err = a.seen()
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// put stores the message as it is now.
func (a *messageAct) put() error { return a.tx.PutMessage(a.message) }

// seen is the message as who acts sees it.
func (a *messageAct) seen() (*Message, error) {
	if len(a.message.Reactions) == 0 {
		return a.message, nil
	}
	mine, err := a.tx.MyReactions(a.message.Seq, a.who.ID)
	return marked(a.message, mine), err
}

// refuseEmptied refuses what is no text or file that somebody said, and what was recalled.
func (a *messageAct) refuseEmptied() error {
	switch {
	case a.message.RecalledAt != 0:
		return refuseRecalled()
	case !a.message.Kind.Countable():
		return refuseLine()
	}
	return nil
}

// late reports whether the message is older than limit; 0 is no limit.
func (a *messageAct) late(limit time.Duration) bool {
	return limit > 0 && a.now() > a.message.SentAt+Time(limit.Milliseconds())
}
