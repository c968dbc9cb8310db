package chat

import (
	"context"
	"crypto/sha256"
	"fmt"
)

// Forward is a request to say in To what a message of Group says.
type Forward struct {
	Group    GroupID
	Seq      Seq
	To       GroupID
	Entered  bool // the socket that asks has entered To
	ClientID string
}

// hash is what is compared when a clientId comes again. No request of another kind has it.
func (in *Forward) hash() RequestHash {
	sum := sha256.Sum256(fmt.Appendf(nil, "forward %q %d %q", in.Group, in.Seq, in.To))
	return RequestHash(sum[:16])
}

// Forward says the text and the files of a message that by can read in another group, as a message of by's own. What it
// mentions and replies to stays behind. It is sent once under its clientId, whatever becomes of the message it came from.
func (s *Service) Forward(ctx context.Context, by *User, in Forward) (*Sent, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	if !validClientID(in.ClientID) {
		return nil, refuseClientID()
	}
	said, err := s.forwarded(ctx, by, &in)
	if err == nil {
		err = s.refuseWords(ctx, said.Text)
	}
	if err != nil {
		return s.duplicateOr(ctx, by, in.ClientID, in.hash(), err)
	}
	if wait := s.messages.Take(by.ID); wait > 0 {
		return s.duplicateOr(ctx, by, in.ClientID, in.hash(), refuseRate(wait))
	}
	p := s.posting(by, &NewMessage{Group: in.To, Entered: in.Entered, Text: said.Text, ClientID: in.ClientID}, said.Files)
	p.Message.Kind, p.Hash = said.Kind, in.hash()
	return s.append(ctx, by, p)
}

// forwarded is the message to be said again.
func (s *Service) forwarded(ctx context.Context, by *User, in *Forward) (said *Message, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		_, said, err = s.readMessage(r, by, in.Group, in.Seq)
		return err
	})
	switch {
	case err != nil:
		return nil, refusal(err, fmt.Sprintf("read message %d of %s", in.Seq, in.Group))
	case said.RecalledAt != 0:
		return nil, refuseRecalled()
	case !said.Kind.Countable():
		return nil, refuseLine()
	}
	return said, nil
}
