package chat

import (
	"context"
	"fmt"
)

// PinReader finds what is pinned.
type PinReader interface {
	// Pinned are the pinned messages of a group, the latest pinned first, at most limit.
	Pinned(g GroupID, limit int) ([]*Message, error)
}

// PinTx counts what is pinned.
type PinTx interface {
	CountPinned() (int, error)
}

// maxPins bounds the pins of a group.
const maxPins = 100

// Pin pins a message for everybody in the group, or takes it off: an owner's or admin's to do, and anybody's in a group
// of two. What is so already stays.
func (s *Service) Pin(ctx context.Context, by *User, id GroupID, seq Seq, on bool) (*Message, error) {
	return s.changeMessage(ctx, by, id, seq, ActPin, func(a *messageAct) error {
		if on == (a.message.PinnedAt != 0) {
			return nil
		}
		if !on {
			a.message.PinnedAt = 0
			return a.put()
		}
		if err := a.refusePin(); err != nil {
			return err
		}
		a.message.PinnedAt = a.now()
		return a.put()
	})
}

func (a *messageAct) refusePin() error {
	if err := a.refuseEmptied(); err != nil {
		return err
	}
	n, err := a.tx.CountPinned()
	if err == nil && n >= maxPins {
		err = refuseManyPins(maxPins)
	}
	return err
}

// Pins are a group's pinned messages, the latest pinned first.
func (s *Service) Pins(ctx context.Context, who *User, id GroupID) (pins []*Message, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		g, m, err := s.readable(r, who, id)
		if err != nil {
			return err
		}
		all, err := r.Pinned(id, maxPins)
		if err != nil {
			return err
		}
		pins = []*Message{}
		for _, p := range all {
			if p.Seq >= firstSeq(g, m) {
				pins = append(pins, p)
			}
		}
		return mark(r, who.ID, pins)
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read the pins of %s", id))
	}
	return pins, nil
}
