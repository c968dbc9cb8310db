package chat

import (
	"context"
	"errors"
	"fmt"
)

// DirectKey is the address of the one group of two: the same for both.
func DirectKey(a, b UserID) string { return string(min(a, b)) + " " + string(max(a, b)) }

// DirectStore opens the groups of two.
type DirectStore interface {
	// OpenDirect returns the group of two with this key. If there is none it makes g and runs first on it as Change does,
	// all or nothing.
	OpenDirect(ctx context.Context, key string, g *Group, first func(tx GroupTx) error) (*Group, error)
}

// DirectReader finds groups of two.
type DirectReader interface {
	// Peer is the other one in a group of two that the user is in.
	Peer(UserID, GroupID) (*User, error)
}

// OpenDirect opens the one conversation of who and another member of the server, making it if there is none. Somebody who
// is not there, is a guest, or blocked who, is refused alike; a conversation that there is stays open to both.
func (s *Service) OpenDirect(ctx context.Context, who *User, other UserID) (group *Group, err error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	switch {
	case who.Guest:
		return nil, refuseGuestAct()
	case other == who.ID:
		return nil, refuseSelf()
	}
	if wait := s.entries.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	now := s.cfg.Now()
	g := &Group{
		ID: GroupID(newID(now)), Kind: KindDirect, Visibility: VisibilityPrivate, Joining: JoiningInvite, History: ExtentAll,
		CreatedAt: TimeOf(now),
	}
	group, err = s.store.OpenDirect(ctx, DirectKey(who.ID, other), g, func(tx GroupTx) error { return s.pair(tx, who, other) })
	if err != nil {
		return nil, refusal(err, "open a conversation of two")
	}
	s.announcer.settle(ctx, counter{group: group.ID})
	s.announcer.settle(ctx, counter{user: who.ID})
	return s.Group(ctx, who, group.ID)
}

// pair begins the memberships of a conversation of two.
func (s *Service) pair(tx GroupTx, who *User, other UserID) error {
	peer, err := tx.User(other)
	if isNotFound(err) {
		return refuseUser()
	} else if err != nil {
		return fmt.Errorf("look up user %s: %w", other, err)
	}
	blocked, err := tx.Blocked(other, who.ID)
	if err != nil {
		return err
	}
	if peer.Guest || peer.Deleted() || blocked {
		return refuseUser()
	}
	blocking, err := tx.Blocked(who.ID, other)
	if err != nil {
		return err
	}
	for _, u := range []*User{who, peer} {
		m := newMembership(tx.Group().ID, u, RoleMember, s.now())
		if blocking {
			m.Barred = BarredByPeer
			if u == who {
				m.Barred = BarredByMe
			}
		}
		if err := tx.PutMembership(m); err != nil {
			return err
		}
	}
	return nil
}

// withPeer adds to a group of two who the other one is.
func withPeer(r DirectReader, g *Group, who UserID) error {
	if g.Kind != KindDirect || g.Me == nil {
		return nil
	}
	peer, err := r.Peer(who, g.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	g.Me.Peer = peer
	return err
}
