package chat

import "context"

// Bar says who blocked whom in a group of two, as one of them has it.
type Bar int

const (
	Unbarred     Bar = 0
	BarredByPeer Bar = 1
	BarredByMe   Bar = 2 // or both, added
)

// Block says whom a user does not want to hear from: nobody who is blocked can open a conversation of two with the user
// or speak in it, or mark the user. It is private to the user.
type Block struct {
	User    UserID `json:"userId"`
	On      bool   `json:"on"`
	By      UserID `json:"-"`
	UserRev Seq    `json:"-"` // of By's own counter
}

// BlockStore keeps who blocked whom.
type BlockStore interface {
	// PutBlock stores that b.By blocks b.User, or no more, under the next number of b.By's counter, and bars both in their
	// group of two, if there is one. What is so already changes nothing. A user without a row is ErrNotFound.
	PutBlock(ctx context.Context, b Block) error
}

// BlockReader knows who blocked whom.
type BlockReader interface {
	// Blocked reports whether by blocks target.
	Blocked(by, target UserID) (bool, error)
	// Blocks are the user's own that changed after since, in order of UserRev.
	Blocks(u UserID, since Seq) ([]Block, error)
}

// BlockEvent is what a block's newest number tells its user.
func BlockEvent(b Block) Event {
	return Event{User: b.By, Number: b.UserRev, Me: &MeChange{Head: b.UserRev, Block: &b}}
}

// Block makes who block somebody, or, with on false, unblock. The other is not told.
func (s *Service) Block(ctx context.Context, who *User, other UserID, on bool) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	switch {
	case other == who.ID:
		return refuseSelf()
	case who.Guest:
		return refuseGuestAct()
	}
	if wait := s.entries.Take(who.ID); wait > 0 {
		return refuseRate(wait)
	}
	err := s.store.PutBlock(ctx, Block{User: other, On: on, By: who.ID})
	if isNotFound(err) {
		return refuseUser()
	}
	return refusal(err, "block a user")
}
