package chat

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// guestsStayOut is how long a guest stays out who was kicked.
const guestsStayOut = 10 * time.Minute

// Removal puts somebody out of a group.
type Removal struct {
	Group GroupID `json:"groupId"`
	User  UserID  `json:"userId"`
	Until Time    `json:"until,omitempty"` // of a ban; 0: until it is lifted

	// Visitor is the user, if a socket of it is in the group: a guest who never spoke is known there alone.
	Visitor *User `json:"-"`
	// Addresses are those from which a guest is here without a token. From there nobody of its name comes in for a while;
	// that is kept in memory only.
	Addresses []string `json:"-"`
}

// Kick puts a member or a guest out. A member may come back as anybody may come in; a guest stays out for ten minutes.
// Nothing is stored of who was kicked after the kick.
func (s *Service) Kick(ctx context.Context, who *User, in Removal) (member *Member, err error) {
	if in.Until != 0 {
		return nil, refuseUntil()
	}
	err = s.act(ctx, who, in.Group, ActKick, func(d *deed) error {
		m, err := d.present(in)
		if err != nil {
			return err
		}
		m.State, m.Role = MemberKicked, RoleMember
		if m.Guest {
			m.OutUntil = d.now() + Time(guestsStayOut.Milliseconds())
			s.bars.put(in.Group, m.NickName, in.Addresses, m.OutUntil)
		}
		member = &m.Member
		return d.remove(m, SystemKicked)
	})
	if err != nil {
		return nil, err
	}
	return member, nil
}

// Ban puts somebody out, or keeps out who is not in, until it is unbanned or in.Until has come.
func (s *Service) Ban(ctx context.Context, who *User, in Removal) (member *Member, err error) {
	if in.Until != 0 && in.Until <= s.now() {
		return nil, refuseUntil()
	}
	err = s.act(ctx, who, in.Group, ActBan, func(d *deed) error {
		m, err := d.present(in)
		if err == nil {
			m.State, m.Role, m.OutUntil = MemberBanned, RoleMember, in.Until
			s.bars.put(in.Group, m.NickName, in.Addresses, d.now()+Time(guestsStayOut.Milliseconds()))
			member = &m.Member
			return d.remove(m, SystemBanned)
		}
		var refused *Error
		if !errors.As(err, &refused) || refused.Code != CodeNotFound {
			return err
		}
		member, err = d.banAbsent(in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return member, nil
}

// present is who is in the group and is to be put out: a member, or a guest who has not spoken and gets a row by it, for
// else nobody would know later that it was put out.
func (d *deed) present(in Removal) (*Membership, error) {
	m, err := d.member(in.User)
	var refused *Error
	if in.Visitor == nil || !in.Visitor.Guest || !errors.As(err, &refused) || refused.Code != CodeNotFound {
		return m, err
	}
	if m, err = orNone(d.tx.Membership(in.User)); err != nil {
		return nil, err
	}
	if standing(d.group, m, in.Visitor, d.now()) != Visitor {
		return nil, refuseMember()
	}
	if err := d.tx.PutGuest(in.Visitor); err != nil {
		return nil, fmt.Errorf("keep a guest: %w", err)
	}
	if m == nil {
		m = newMembership(d.group.ID, in.Visitor, RoleMember, d.now())
	}
	return m, nil
}

// remove stores a membership that ends, and tells why.
func (d *deed) remove(m *Membership, act string) error {
	if err := d.tx.PutMembership(m); err != nil {
		return err
	}
	value := ""
	if m.OutUntil != 0 {
		value = m.OutUntil.String()
	}
	return d.tell(SystemAct{Act: act, Target: m.UserID, Value: value}, m.NickName)
}

// banAbsent keeps out who is not in. The group is not told: it did not see anybody go.
func (d *deed) banAbsent(in Removal) (*Member, error) {
	u, err := d.tx.User(in.User)
	if errors.Is(err, ErrNotFound) {
		return nil, refuseUser()
	} else if err != nil {
		return nil, err
	}
	m, err := orNone(d.tx.Membership(in.User))
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		m = newMembership(d.group.ID, u, RoleMember, d.now())
	case m.State == MemberBanned && m.OutUntil == in.Until:
		return &m.Member, nil
	}
	m.State, m.Role, m.OutUntil = MemberBanned, RoleMember, in.Until
	if err := d.tx.PutMembership(m); err != nil {
		return nil, err
	}
	return &m.Member, d.audit(SystemBanned, m.UserID, "")
}

// Unban lets somebody come in again who was banned, or a guest who was kicked, as anybody may come in.
func (s *Service) Unban(ctx context.Context, who *User, g GroupID, u UserID) (member *Member, err error) {
	err = s.act(ctx, who, g, ActBan, func(d *deed) error {
		m, err := orNone(d.tx.Membership(u))
		if err != nil {
			return err
		}
		if m == nil {
			return refuseMember()
		}
		member = &m.Member
		if m.State != MemberBanned && !m.isOut(d.now()) {
			return nil
		}
		m.State, m.OutUntil = MemberLeft, 0
		s.bars.lift(g, m.NickName)
		if err := d.tx.PutMembership(m); err != nil {
			return err
		}
		return d.audit(SystemUnbanned, u, "")
	})
	if err != nil {
		return nil, err
	}
	return member, nil
}

// Banned is somebody who is kept out of a group.
type Banned struct {
	Member *Member `json:"member"`
	Until  Time    `json:"until,omitempty"`
}

// BanReader finds who is kept out.
type BanReader interface {
	// Banned are the banned of a group with a rev < before (0: no bound), those banned last first, at most limit.
	Banned(g GroupID, before Seq, limit int) ([]Banned, error)
}

// BanPage is a page of who is kept out, those banned last first.
type BanPage struct {
	Banned []Banned `json:"banned"`
	More   bool     `json:"more"` // ask again with before: the last one's rev
}

// Bans is a page of who is kept out of a group: those with a rev < before, or, with 0, the newest.
func (s *Service) Bans(ctx context.Context, who *User, g GroupID, before Seq) (page *BanPage, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		if _, _, err := s.within(r, who, g, ActBan); err != nil {
			return err
		}
		banned, err := r.Banned(g, before, maxPage+1)
		if err != nil {
			return err
		}
		page = &BanPage{Banned: banned[:min(maxPage, len(banned))], More: len(banned) > maxPage}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("list the banned of %s", g))
	}
	return page, nil
}
