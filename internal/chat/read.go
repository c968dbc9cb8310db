package chat

import (
	"context"
	"errors"
	"fmt"
)

// ReadState is a cursor after it was moved.
type ReadState struct {
	ReadSeq   Seq   `json:"readSeq"`
	Unread    int64 `json:"unread"`
	Mentioned int64 `json:"mentioned"`

	Moved       bool `json:"-"` // the cursor was further back before
	MemberCount int  `json:"-"` // of the group
}

// ReadUpTo moves who's cursor in a group up to seq: it never goes back, and not beyond the group's head. It is written
// with others a little later. A guest that is no member yet has nothing unread, and nothing is kept.
func (s *Service) ReadUpTo(ctx context.Context, who *User, id GroupID, seq Seq) (*ReadState, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	var state *ReadState
	err := s.store.View(ctx, func(r Reader) error {
		group, m, err := s.readable(r, who, id)
		if err != nil {
			return err
		}
		before := s.cursors.at(who.ID, id)
		if m.Active() {
			before = max(before, m.ReadSeq)
			m, err = readUpTo(r, m, min(max(seq, before), group.Head))
		}
		if err != nil {
			return err
		}
		me := myView(group, m)
		state = &ReadState{ReadSeq: me.ReadSeq, Unread: me.Unread, Mentioned: me.Mentioned, MemberCount: group.MemberCount}
		if m.Active() {
			state.Moved = me.ReadSeq > before
			s.cursors.move(who.ID, id, me.ReadSeq)
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read group %s", id))
	}
	return state, nil
}

// readUpTo is m as it is once its cursor has moved to seq; m itself if that is no step ahead.
func readUpTo(r Reader, m *Membership, seq Seq) (*Membership, error) {
	if seq <= m.ReadSeq {
		return m, nil
	}
	counted, own, err := r.CountUpTo(m.GroupID, seq, m.UserID, m.ReadSeq)
	if err != nil {
		return nil, err
	}
	moved := *m
	moved.ReadSeq, moved.ReadCount, moved.OwnUnread = seq, counted, m.OwnUnread-own
	if m.Mentioned > 0 {
		moved.Mentioned, err = r.CountMentions(m.GroupID, m.UserID, seq)
	}
	return &moved, err
}

// readable finds a group that who may read, and who's membership, nil if there is none that holds. Absent and
// forbidden are alike.
func (s *Service) readable(r Reader, who *User, id GroupID) (*Group, *Membership, error) {
	return s.within(r, who, id, ActRead)
}

// within finds a group in which who may do act, and who's membership, nil if there is none.
func (s *Service) within(r Reader, who *User, id GroupID, act Act) (*Group, *Membership, error) {
	group, err := r.Group(id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, refuseGroup()
	} else if err != nil {
		return nil, nil, err
	}
	m, err := membership(r, id, who.ID)
	if err != nil {
		return nil, nil, err
	}
	return group, m, s.permit(group, m, who, act)
}

// mayRead refuses who may not read g. Guests read open groups without being members; members must have joined.
func (s *Service) mayRead(g *Group, m *Membership, who *User) error {
	return s.permit(g, m, who, ActRead)
}

// membership is who's membership, whatever its state; nil if there never was one.
func membership(r MemberReader, g GroupID, u UserID) (*Membership, error) {
	return orNone(r.Membership(g, u))
}

// orNone makes a row that is not there nil.
func orNone(m *Membership, err error) (*Membership, error) {
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return m, err
}

// myView is what a user sees as its own in g. A guest that is no member yet has read everything.
func myView(g *Group, m *Membership) *GroupMe {
	if m.Active() {
		return m.Me(g)
	}
	return &GroupMe{Role: RoleMember, ReadSeq: g.Head, Notify: NotifyAll}
}
