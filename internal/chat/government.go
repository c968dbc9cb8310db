package chat

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/names"
)

// roleServer is what an administrator of the server is in a group it acts on from outside: it stands above the owner, is
// no member, and is never stored.
const roleServer Role = "server"

// govern lets an administrator of the server act on a group, in which it need not be. That by is one, the caller sees to.
// Groups of two are their own: nobody governs them. What do did is durable, and the group has heard of it, when govern
// returns; do may run more than once.
func (s *Service) govern(ctx context.Context, by *User, id GroupID, do func(d *deed) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	err := s.store.Change(ctx, id, func(tx GroupTx) error {
		g := tx.Group()
		if g.DissolvedAt != 0 {
			return refuseGroup()
		}
		return do(&deed{s, tx, by, g, &Membership{Member: Member{UserID: by.ID, Role: roleServer}}})
	})
	if errors.Is(err, ErrNotFound) {
		return refuseGroup()
	}
	if err != nil {
		return refusal(err, fmt.Sprintf("govern group %s", id))
	}
	s.announcer.settle(ctx, counter{group: id})
	return nil
}

// Verdict is what an administrator of the server does about a message that was reported.
type Verdict string

const (
	VerdictDismiss Verdict = "dismiss" // nothing
	VerdictRecall  Verdict = "recall"  // takes the message back
	VerdictMute    Verdict = "mute"    // silences its author, until a time or for good
	VerdictKick    Verdict = "kick"    // puts its author out
	VerdictBan     Verdict = "ban"     // puts its author out and keeps it out, until a time or for good
)

// Judgement ends the reports on a message.
type Judgement struct {
	Group   GroupID
	Seq     Seq
	Verdict Verdict
	Until   Time // of a mute or a ban; 0: for good
}

// Judge does what in says about a reported message, and ends the reports on it; all or nothing. Who asks has to be an
// administrator of the server: the caller sees to it.
func (s *Service) Judge(ctx context.Context, by *User, in Judgement) error {
	if in.Until != 0 && (in.Until <= s.now() || in.Verdict != VerdictMute && in.Verdict != VerdictBan) {
		return refuseUntil()
	}
	return s.govern(ctx, by, in.Group, func(d *deed) error {
		m, err := d.tx.Message(in.Seq)
		if errors.Is(err, ErrNotFound) {
			return refuseReported()
		}
		if err == nil {
			err = d.carryOut(in, m)
		}
		if err != nil {
			return err
		}
		return d.resolve(in.Seq)
	})
}

func (d *deed) carryOut(in Judgement, m *Message) error {
	if d.group.Kind == KindDirect && in.Verdict != VerdictDismiss && in.Verdict != VerdictRecall {
		return refuseDirectAct()
	}
	switch in.Verdict {
	case VerdictDismiss:
		return nil
	case VerdictRecall:
		if m.RecalledAt != 0 {
			return nil
		}
		return (&messageAct{d, m}).takeBack()
	case VerdictMute:
		_, err := d.mute(m.UserID, true, in.Until)
		return err
	case VerdictKick, VerdictBan:
		return d.putOut(in, m.UserID)
	}
	return refuseVerdict()
}

// putOut puts the author of a message out, or, with a ban, keeps out who has gone already.
func (d *deed) putOut(in Judgement, u UserID) error {
	out := Removal{Group: in.Group, User: u, Until: in.Until}
	m, err := orNone(d.tx.Membership(u))
	switch {
	case err != nil:
		return err
	case !m.Active() && in.Verdict == VerdictBan:
		_, err := d.banAbsent(out)
		return err
	}
	if m, err = d.member(u); err != nil {
		return err
	}
	m.Role = RoleMember
	if in.Verdict == VerdictBan {
		m.State, m.OutUntil = MemberBanned, in.Until
		return d.remove(m, SystemBanned)
	}
	m.State = MemberKicked
	if m.Guest {
		m.OutUntil = d.now() + Time(guestsStayOut.Milliseconds())
	}
	return d.remove(m, SystemKicked)
}

// DissolveGroup ends a group. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) DissolveGroup(ctx context.Context, by *User, id GroupID) error {
	return s.govern(ctx, by, id, func(d *deed) error {
		if d.group.Kind == KindDirect {
			return refuseDirectAct()
		}
		return d.dissolve()
	})
}

// GiveOwner makes a member the owner of its group; who owned it before is an admin then. Who asks has to be an
// administrator of the server: the caller sees to it.
func (s *Service) GiveOwner(ctx context.Context, by *User, id GroupID, u UserID) (member *Member, err error) {
	err = s.govern(ctx, by, id, func(d *deed) error {
		m, err := orNone(d.tx.Membership(u))
		switch {
		case err != nil:
			return err
		case d.group.Kind == KindDirect:
			return refuseDirectAct()
		case !m.Active():
			return refuseMember()
		case m.Guest || m.Bot:
			return refuseGuestRole()
		}
		member = &m.Member
		if m.Role == RoleOwner {
			return nil
		}
		if err := d.demoteOwner(); err != nil {
			return err
		}
		m.Role = RoleOwner
		if err := d.tx.PutMembership(m); err != nil {
			return err
		}
		return d.tell(SystemAct{Act: SystemOwner, Target: m.UserID}, m.NickName)
	})
	if err != nil {
		return nil, err
	}
	return member, nil
}

func (d *deed) demoteOwner() error {
	staff, err := d.tx.Staff()
	if err != nil {
		return err
	}
	for _, m := range staff {
		if m.Role != RoleOwner {
			continue
		}
		was, err := d.tx.Membership(m.UserID)
		if err != nil {
			return err
		}
		was.Role = RoleAdmin
		if err := d.tx.PutMembership(was); err != nil {
			return err
		}
	}
	return nil
}

// GroupLimits are what an administrator of the server may set for a group; nil leaves as it is.
type GroupLimits struct {
	SlowMode  *int  `json:"slowMode,omitempty"`  // seconds; 0 for off
	Retention *int  `json:"retention,omitempty"` // days that messages are kept; 0: as the server says
	MutedAll  *bool `json:"mutedAll,omitempty"`  // only owner and admins speak
}

// LimitGroup sets the limits of a group, and the group is told. Who asks has to be an administrator of the server: the
// caller sees to it.
func (s *Service) LimitGroup(ctx context.Context, by *User, id GroupID, in GroupLimits) error {
	return s.govern(ctx, by, id, func(d *deed) error {
		if d.group.Kind == KindDirect {
			return refuseDirectAct()
		}
		u := update{deed: d, g: d.tx.Group()}
		if err := u.set(&GroupUpdate{Group: id, SlowMode: in.SlowMode, Retention: in.Retention}); err != nil {
			return err
		}
		if err := u.put(); err != nil {
			return err
		}
		if in.MutedAll == nil {
			return nil
		}
		d.group = d.tx.Group()
		_, err := d.muteAll(*in.MutedAll)
		return err
	})
}

// GroupListing is a group as administrators of the server see it: what it is and how it is used, nothing of what is said.
type GroupListing struct {
	ID         GroupID    `json:"groupId"`
	Room       string     `json:"room,omitempty"`
	Name       string     `json:"name"`
	Avatar     string     `json:"avatar,omitempty"`
	Visibility Visibility `json:"visibility"`
	Joining    Joining    `json:"joining"`
	SlowMode   int        `json:"slowMode"`
	MutedAll   bool       `json:"mutedAll"`
	Retention  int        `json:"retention"`
	Members    int        `json:"memberCount"`
	Messages   int64      `json:"messages"` // texts and files, recalled ones too
	CreatedAt  Time       `json:"createdAt"`
	LastAt     Time       `json:"lastAt,omitempty"` // of its newest message
	Owner      UserID     `json:"owner,omitempty"`
	OwnerName  string     `json:"ownerName,omitempty"`
}

// GroupLister lists groups.
type GroupLister interface {
	// ListGroups are the groups of many, not dissolved, whose name, address or id holds a text (folded), the youngest
	// first, after one of them ("": from the beginning), at most limit.
	ListGroups(text string, after GroupID, limit int) ([]*GroupListing, error)
}

// ServerGroups are groups, the youngest first. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) ServerGroups(ctx context.Context, search string, after GroupID, limit int) (list []*GroupListing, err error) {
	if err := checkText(search, maxSought); err != nil {
		return nil, refuseSearch(maxSought)
	}
	err = s.store.View(ctx, func(r Reader) error {
		list, err = r.ListGroups(names.Fold(search), after, limit)
		return err
	})
	if err != nil {
		return nil, refusal(err, "list groups")
	}
	return list, nil
}

// Names are what ids stand for, as far as they stand for anything.
type Names struct {
	Users  map[UserID]string  `json:"users"`
	Groups map[GroupID]string `json:"groups"`
}

func newNames() *Names { return &Names{Users: map[UserID]string{}, Groups: map[GroupID]string{}} }

// learn looks up what is not known yet.
func (n *Names) learn(r Reader, g GroupID, users ...UserID) error {
	if _, known := n.Groups[g]; !known && g != "" {
		group, err := r.Group(g)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil {
			n.Groups[g] = group.Name
		}
	}
	for _, id := range users {
		if _, known := n.Users[id]; known || id == "" {
			continue
		}
		u, err := r.User(id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil {
			n.Users[id] = u.NickName
		}
	}
	return nil
}

// Figures are what the server holds, at a moment.
type Figures struct {
	Members  int   `json:"members"`
	Bots     int   `json:"bots"`
	Guests   int   `json:"guests"`  // that spoke
	Groups   int   `json:"groups"`  // of many, not dissolved
	Reports  int   `json:"reports"` // messages with open reports
	Database int64 `json:"databaseBytes"`
	Files    int64 `json:"fileBytes"`
	Webhooks struct {
		On      int `json:"on"`
		Behind  int `json:"behind"`  // have something to tell
		Failing int `json:"failing"` // could not tell it
		Off     int `json:"off"`     // turned off, since they failed too long
	} `json:"webhooks"`
	Push struct {
		Devices int `json:"devices"`
		Failing int `json:"failing"`
	} `json:"push"`
}

// FigureReader counts.
type FigureReader interface {
	Figures() (*Figures, error)
}

// Figures are what the server holds. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) Figures(ctx context.Context) (f *Figures, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		f, err = r.Figures()
		return err
	})
	if err != nil {
		return nil, refusal(err, "count what there is")
	}
	return f, nil
}
