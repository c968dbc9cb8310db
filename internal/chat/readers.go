package chat

import (
	"context"
	"fmt"
)

// RollReader calls the roll of a group.
type RollReader interface {
	// Roll are the memberships of a group, whatever their state, in an order that does not change, after those up to a user's
	// ("": from the beginning), at most limit.
	Roll(g GroupID, after UserID, limit int) ([]*Membership, error)
}

// ReadBy is a page of those who have read a message, its author aside.
type ReadBy struct {
	Members []*Member `json:"members"`
	Cursor  string    `json:"cursor,omitempty"` // of the next page; a group of up to 1,000 has one
}

// rollPage is how many memberships are looked at for a page.
const rollPage = 1000

// ReadBy are the members who have read a message that who can read.
func (s *Service) ReadBy(ctx context.Context, who *User, id GroupID, seq Seq, cursor string) (page *ReadBy, err error) {
	var after UserID
	if err := readCursor(cursor, &after); err != nil {
		return nil, err
	}
	if wait := s.lookups.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	err = s.store.View(ctx, func(r Reader) error {
		_, message, err := s.readMessage(r, who, id, seq)
		if err != nil {
			return err
		}
		roll, err := r.Roll(id, after, rollPage)
		page = &ReadBy{Members: s.readers(roll, message)}
		if len(roll) == rollPage {
			page.Cursor = writeCursor(roll[rollPage-1].UserID)
		}
		return err
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("ask who has read message %d of %s", seq, id))
	}
	return page, nil
}

// Reads is how far each member of a group of at most limit members has read; whoever has read nothing is left out.
func (s *Service) Reads(ctx context.Context, who *User, id GroupID, limit int) (seqs map[UserID]Seq, err error) {
	if wait := s.lookups.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	err = s.store.View(ctx, func(r Reader) error {
		seqs = map[UserID]Seq{}
		group, _, err := s.within(r, who, id, ActRead)
		if err != nil {
			return err
		}
		if group.MemberCount > limit {
			return refuseManyReaders(limit)
		}
		roll, err := r.Roll(id, "", rollPage)
		for _, one := range roll {
			read := max(one.ReadSeq, s.cursors.at(one.UserID, one.GroupID))
			if one.Active() && read > 0 {
				seqs[one.UserID] = read
			}
		}
		return err
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("ask how far %s has read", id))
	}
	return seqs, nil
}

// readers are those of roll who have read m, by cursors that may not be written yet.
func (s *Service) readers(roll []*Membership, m *Message) []*Member {
	members := []*Member{}
	for _, one := range roll {
		read := max(one.ReadSeq, s.cursors.at(one.UserID, one.GroupID))
		if one.Active() && one.UserID != m.UserID && read >= m.Seq {
			members = append(members, &one.Member)
		}
	}
	return members
}
