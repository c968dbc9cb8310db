package chat

import (
	"context"
	"slices"
	"time"
)

// Edit is a request to give a message of mine another text. Mentions are all it has then.
type Edit struct {
	Group    GroupID
	Seq      Seq
	Text     string
	Mentions []UserID
}

// EditMessage changes the text of by's own message, while it is young enough. The same text again changes nothing.
func (s *Service) EditMessage(ctx context.Context, by *User, in Edit) (*Message, error) {
	if refused := s.refuseText(in.Text); refused != nil {
		return nil, refused
	}
	mentions, err := distinctMentions(in.Mentions)
	if err == nil {
		err = s.refuseWords(ctx, in.Text)
	}
	if err != nil {
		return nil, err
	}
	return s.changeMessage(ctx, by, in.Group, in.Seq, ActSend, func(a *messageAct) error {
		if err := a.refuseEdit(s.Limits().EditWithin); err != nil {
			return err
		}
		mentioned, err := a.mentionable(mentions)
		if err != nil || in.Text == a.message.Text && slices.Equal(mentioned, a.message.Mentions) {
			return err
		}
		before := a.message.Text
		a.message.Text, a.message.Mentions, a.message.EditedAt = in.Text, mentioned, a.now()
		if err := a.followLink(before); err != nil {
			return err
		}
		return a.put()
	})
}

func (a *messageAct) refuseEdit(limit time.Duration) error {
	switch {
	case a.message.RecalledAt != 0:
		return refuseRecalled()
	case a.message.UserID != a.who.ID:
		return refuseNotMine()
	case a.message.Kind != MessageText:
		return refuseLine()
	case a.late(limit):
		return refuseLateEdit(limit)
	}
	return refuseSilenced(a.group, a.me, a.now())
}
