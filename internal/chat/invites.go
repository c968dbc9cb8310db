package chat

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
)

// InviteID names an invite for ever: a UUIDv7 in text.
type InviteID string

const (
	// maxInvites bounds the invites of a group that hold.
	maxInvites = 100
	// maxInviteUses bounds how often one may be used.
	maxInviteUses = 100_000
)

// Invite lets people into one group. Who holds its token may come in while it has not ended, has uses left, was not
// withdrawn, and whoever made it may invite. So the invites of who was removed, or is an admin no more, end with that.
type Invite struct {
	ID        InviteID `json:"inviteId"`
	Group     GroupID  `json:"groupId"`
	Token     string   `json:"token"` // a secret that is shared: the last part of /i/<token>
	By        UserID   `json:"userId"`
	CreatedAt Time     `json:"createdAt"`
	ExpiresAt Time     `json:"expiresAt,omitempty"` // 0: never
	MaxUses   int      `json:"maxUses,omitempty"`   // 0: no bound
	Uses      int      `json:"uses"`
	RevokedAt Time     `json:"-"` // one that holds no more is shown to nobody
}

// ended reports whether i lets nobody in any more.
func (i *Invite) ended(now Time) bool {
	return i.RevokedAt != 0 || i.ExpiresAt != 0 && i.ExpiresAt <= now || i.MaxUses > 0 && i.Uses >= i.MaxUses
}

// InviteReader finds invites.
type InviteReader interface {
	InviteByToken(token string) (*Invite, error)
	// Invites are the invites of a group that hold at a time, as far as they say themselves, newest first.
	Invites(g GroupID, at Time) ([]*Invite, error)
}

// InviteTx changes the invites of a group. They take no numbers: not every member sees them.
type InviteTx interface {
	Invite(InviteID) (*Invite, error)
	// Invites are those that hold at a time, as far as they say themselves, newest first.
	Invites(at Time) ([]*Invite, error)
	// PutInvite stores a new invite, or how often one was used and that it was withdrawn.
	PutInvite(*Invite) error
}

// NewInvite asks for an invite.
type NewInvite struct {
	Group     GroupID `json:"groupId"`
	ExpiresAt Time    `json:"expiresAt,omitempty"` // 0: never
	MaxUses   int     `json:"maxUses,omitempty"`   // 0: no bound
}

// Invite makes an invite. One that a plain member makes lets in as the group does: at once, or after approval.
func (s *Service) Invite(ctx context.Context, who *User, in NewInvite) (invite *Invite, err error) {
	if in.ExpiresAt != 0 && in.ExpiresAt <= s.now() || in.MaxUses < 0 || in.MaxUses > maxInviteUses {
		return nil, refuseInviteShape()
	}
	err = s.act(ctx, who, in.Group, ActInvite, func(d *deed) error {
		others, err := d.tx.Invites(d.now())
		if err != nil {
			return err
		}
		if len(others) >= maxInvites {
			return refuseInvites(maxInvites)
		}
		now := d.cfg.Now()
		invite = &Invite{
			ID: InviteID(newID(now)), Group: in.Group, Token: newToken(), By: who.ID, CreatedAt: TimeOf(now),
			ExpiresAt: in.ExpiresAt, MaxUses: in.MaxUses,
		}
		if err := d.tx.PutInvite(invite); err != nil {
			return err
		}
		return d.audit("invite", "", string(invite.ID))
	})
	if err != nil {
		return nil, err
	}
	return invite, nil
}

// newToken is 128 random bits, fit for an address.
func newToken() string {
	bits := make([]byte, 16)
	rand.Read(bits)
	return base64.RawURLEncoding.EncodeToString(bits)
}

// RevokeInvite withdraws an invite: one's own, or, by owner and admins, any.
func (s *Service) RevokeInvite(ctx context.Context, who *User, g GroupID, id InviteID) error {
	return s.act(ctx, who, g, ActRead, func(d *deed) error {
		invite, err := d.tx.Invite(id)
		if errors.Is(err, ErrNotFound) || err == nil && invite.By != who.ID && !permits[ActManageLinks].holds(d.group, d.standing()) {
			return refuseInvite()
		} else if err != nil {
			return err
		}
		if invite.RevokedAt != 0 {
			return nil
		}
		invite.RevokedAt = d.now()
		if err := d.tx.PutInvite(invite); err != nil {
			return err
		}
		return d.audit("revokeInvite", invite.By, string(id))
	})
}

func (d *deed) standing() Standing { return standing(d.group, d.me, d.who, d.now()) }

// Invites are the invites of a group that hold: to owner and admins all, to others their own. Newest first.
func (s *Service) Invites(ctx context.Context, who *User, g GroupID) (list []*Invite, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		group, m, err := s.within(r, who, g, ActInvite)
		if err != nil {
			return err
		}
		all := permits[ActManageLinks].holds(group, standing(group, m, who, s.now()))
		invites, err := r.Invites(g, s.now())
		if err != nil {
			return err
		}
		list = []*Invite{}
		for _, invite := range invites {
			if all || invite.By == who.ID {
				list = append(list, invite)
			}
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("list invites of %s", g))
	}
	return list, nil
}

// GroupCard is what may be known of a group before it is entered.
type GroupCard struct {
	ID          GroupID    `json:"groupId"`
	Room        string     `json:"room,omitempty"`
	Name        string     `json:"name"`
	Topic       string     `json:"topic"`
	Avatar      string     `json:"avatar,omitempty"`
	Visibility  Visibility `json:"visibility"`
	Joining     Joining    `json:"joining"`
	MemberCount int        `json:"memberCount"`
	CreatedAt   Time       `json:"createdAt"`
}

// Card is what may be known of g before it is entered.
func (g *Group) Card() *GroupCard {
	return &GroupCard{
		ID: g.ID, Room: g.Room, Name: g.Name, Topic: g.Topic, Avatar: g.Avatar, Visibility: g.Visibility, Joining: g.Joining,
		MemberCount: g.MemberCount, CreatedAt: g.CreatedAt,
	}
}

// Inviter is who invites, to somebody who may know nobody here.
type Inviter struct {
	NickName string `json:"nickName"`
	Avatar   string `json:"avatar,omitempty"`
}

// Invitation is what the holder of a token is shown before it comes in.
type Invitation struct {
	Group   *GroupCard `json:"group"`
	Inviter Inviter    `json:"inviter"`
	Guests  bool       `json:"guests"` // they may come in by it, too
}

// Invitation is what a token invites to. Anybody may ask who holds it, known or not; from says who asks, as far as can be
// told (a user, an address), and is not let ask too fast.
func (s *Service) Invitation(ctx context.Context, from, token string) (in *Invitation, err error) {
	if wait := s.lookups.Take(UserID(from)); wait > 0 {
		return nil, refuseRate(wait)
	}
	err = s.store.View(ctx, func(r Reader) error {
		invite, group, _, err := s.invitation(r, token)
		if err != nil {
			return err
		}
		by, err := r.User(invite.By)
		if err != nil {
			return err
		}
		in = &Invitation{
			Group: group.Card(), Inviter: Inviter{by.NickName, by.Avatar},
			Guests: s.Guests() != GuestsOff && group.OpenToGuests(),
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, "look at an invitation")
	}
	return in, nil
}

// OpenToGuests reports whether guests may enter g, as far as g says.
func (g *Group) OpenToGuests() bool {
	return g.Visibility == VisibilityOpen && g.Joining == JoiningOpen
}

// invitation is an invite that holds, its group, and who made it. One that does not is as one that never was.
func (s *Service) invitation(r Reader, token string) (*Invite, *Group, *Membership, error) {
	invite, err := r.InviteByToken(token)
	if isNotFound(err) || err == nil && invite.ended(s.now()) {
		return nil, nil, nil, refuseInvite()
	} else if err != nil {
		return nil, nil, nil, err
	}
	group, err := r.Group(invite.Group)
	if err != nil {
		return nil, nil, nil, err
	}
	host, err := membership(r, group.ID, invite.By)
	if err != nil {
		return nil, nil, nil, err
	}
	if !s.mayInvite(group, host) {
		return nil, nil, nil, refuseInvite()
	}
	return invite, group, host, nil
}

// mayInvite reports whether an invite of m lets anybody in.
func (s *Service) mayInvite(g *Group, m *Membership) bool {
	if !m.Active() {
		return false
	}
	return permits[ActInvite].holds(g, standing(g, m, &User{ID: m.UserID, Guest: m.Guest}, s.now()))
}
