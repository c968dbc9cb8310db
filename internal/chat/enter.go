package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"qun/internal/names"
)

// Entry says where somebody wants in: by the address Room, or by Group.
type Entry struct {
	Room  string
	Group GroupID
	Plain bool // a plain client's guest: its join line is told at every entry
}

// Entered says that the way is free.
type Entered struct {
	User     *User    // who entered; a guest whose name a member bears by now has the suffix
	Group    *Group   // with Me
	JoinLine *Message // to be pushed to everybody there, the joiner included; not stored. nil: none, or a stored one comes by itself
}

// Enter lets who into a group, by address or id: it makes the open group when it is missing and who may, and begins a
// member's membership. The caller lets the socket into the room first and then reads Snapshot, so that nothing falls
// between the two.
func (s *Service) Enter(ctx context.Context, who *User, in Entry) (*Entered, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	e := entry{Service: s, ctx: ctx, who: who}
	err := e.find(in)
	if err == nil {
		err = e.join()
	}
	if err != nil {
		return nil, refusal(err, "enter a group")
	}
	return &Entered{User: e.who, Group: e.group, JoinLine: e.line(in.Plain)}, nil
}

// entry is one Enter on its way.
type entry struct {
	*Service
	ctx context.Context

	who    *User
	group  *Group
	member *Membership // nil if there never was one
}

// find looks the group up, or makes it.
func (e *entry) find(in Entry) error {
	if in.Group != "" {
		return e.lookByID(in.Group)
	}
	shown, key, err := names.Room(in.Room, e.cfg.Limits.Room)
	if err != nil {
		return e.badRoom(err)
	}
	err = e.look(func(r Reader) (*Group, error) { return r.GroupByRoom(key) })
	if errors.Is(err, ErrNotFound) {
		err = e.open(shown, key)
	}
	return err
}

// look reads group and membership of one moment, and gives a guest the name it may bear now.
func (e *entry) look(find func(Reader) (*Group, error)) error {
	err := e.store.View(e.ctx, func(r Reader) (err error) {
		if e.who, err = e.rename(r, e.who); err != nil {
			return err
		}
		if e.group, err = find(r); err != nil {
			return err
		}
		e.member, err = membership(r, e.group.ID, e.who.ID)
		return err
	})
	return err
}

func (e *entry) lookByID(id GroupID) error {
	err := e.look(func(r Reader) (*Group, error) { return r.Group(id) })
	if errors.Is(err, ErrNotFound) {
		return refuseGroup()
	}
	return err
}

// open makes an open group, and a member who makes it its owner.
func (e *entry) open(shown, key string) error {
	switch {
	case e.who.Guest && e.cfg.Guests == GuestsOff:
		return refuseGuests()
	case e.who.Guest && e.cfg.Guests == GuestsJoin:
		return refuseGuestRoom()
	}
	if wait := e.entries.Take(e.who.ID); wait > 0 {
		return refuseRate(wait)
	}
	now := e.cfg.Now()
	g := &Group{
		ID: GroupID(newID(now)), Room: shown, Name: shown, Kind: KindGroup, Visibility: VisibilityOpen,
		Joining: JoiningOpen, History: ExtentAll, CreatedAt: TimeOf(now),
	}
	var first func(GroupTx) error
	if !e.who.Guest {
		if err := e.roomForOneMore(); err != nil {
			return err
		}
		first = func(tx GroupTx) error { return e.enrol(tx, RoleOwner) }
	}
	group, made, err := e.store.OpenRoom(e.ctx, key, g, first)
	if err != nil {
		return err
	}
	e.group = group
	if made {
		e.announcer.settle(e.ctx, counter{group: group.ID})
		return nil
	}
	return e.lookByID(group.ID) // somebody else was faster
}

// join admits who, and begins the membership of a member who has none.
func (e *entry) join() error {
	if err := e.admit(e.group, e.member); err != nil {
		return err
	}
	if e.member.Active() || e.who.Guest {
		e.group.Me = myView(e.group, e.member)
		return nil
	}
	if wait := e.entries.Take(e.who.ID); wait > 0 {
		return refuseRate(wait)
	}
	if err := e.roomForOneMore(); err != nil {
		return err
	}
	err := e.store.Change(e.ctx, e.group.ID, func(tx GroupTx) error {
		m, err := orNone(tx.Membership(e.who.ID))
		if err != nil {
			return err
		}
		if err := e.admit(tx.Group(), m); err != nil {
			return err
		}
		if m.Active() { // on another device, meanwhile
			e.group, e.member = tx.Group(), m
			return nil
		}
		return e.enrol(tx, RoleMember)
	})
	if err != nil {
		return err
	}
	e.group.Me = myView(e.group, e.member)
	e.announcer.settle(e.ctx, counter{group: e.group.ID})
	return nil
}

// enrol begins a membership, with the line that tells it.
func (e *entry) enrol(tx GroupTx, role Role) error {
	g := tx.Group()
	m := newMembership(g.ID, e.who, role, e.now())
	if err := tx.PutMembership(m); err != nil {
		return err
	}
	if err := tx.AddMessage(e.joinLine(g)); err != nil {
		return err
	}
	e.group, e.member = tx.Group(), m
	return nil
}

// admit refuses whom g does not take.
func (e *entry) admit(g *Group, m *Membership) error {
	switch {
	case g.DissolvedAt != 0:
		return refuseGroup()
	case !m.Active() && !mayFind(g, e.who):
		return refuseGroup()
	case e.who.Guest && e.cfg.Guests == GuestsOff:
		return refuseGuests()
	case m.Active():
		return nil
	case m != nil && m.State == MemberBanned, m != nil && m.State == MemberKicked && e.who.Guest:
		return refuseRemoved()
	case e.who.Guest:
		return nil
	case g.Joining != JoiningOpen:
		return refuseInviteOnly()
	case e.cfg.Limits.MembersPerGroup > 0 && g.MemberCount >= e.cfg.Limits.MembersPerGroup:
		return refuseFull()
	}
	return nil
}

// roomForOneMore refuses who is in as many groups as one may be.
func (e *entry) roomForOneMore() error {
	limit := e.cfg.Limits.GroupsPerUser
	if limit == 0 {
		return nil
	}
	mine, err := e.MyGroups(e.ctx, e.who)
	if err != nil {
		return err
	}
	if len(mine) >= limit {
		return refuseTooManyGroups(limit)
	}
	return nil
}

// line is the join line of a guest who is no member: a plain one's at every entry, any other's at its first one. One who
// enters faster than it may speak enters in silence.
func (e *entry) line(plain bool) *Message {
	if !e.who.Guest || e.member.Active() && !plain {
		return nil
	}
	if !plain && !e.seen.first(e.who.ID, e.group.ID) {
		return nil
	}
	if e.entries.Take(e.who.ID) > 0 {
		return nil
	}
	return e.joinLine(e.group)
}

func (e *entry) joinLine(g *Group) *Message {
	now := e.cfg.Now()
	room := g.Room
	if room == "" {
		room = g.Name
	}
	return &Message{
		ID: MessageID(newID(now)), GroupID: g.ID, Room: g.Room, UserID: e.who.ID, NickName: e.who.NickName,
		Guest: e.who.Guest, Kind: MessageJoin, Text: e.who.NickName + " 加入了 " + room + " 房间", SentAt: TimeOf(now),
	}
}

func (e *entry) badRoom(err error) error {
	switch {
	case errors.Is(err, names.ErrEmpty):
		return refuseEmptyRoom()
	case errors.Is(err, names.ErrTooLong):
		return refuseLongRoom(e.cfg.Limits.Room)
	case errors.Is(err, names.ErrForbidden):
		return refuseRoomLetters()
	}
	return fmt.Errorf("check a room's name: %w", err)
}

// maxEntrances bounds how many first entries are remembered, twice: the older half is forgotten at once.
const maxEntrances = 1 << 15

// entrances remembers which guests already entered which groups.
type entrances struct {
	mu         sync.Mutex // guards below
	young, old map[entrance]struct{}
}

type entrance struct {
	user  UserID
	group GroupID
}

func newEntrances() *entrances { return &entrances{young: map[entrance]struct{}{}} }

// first reports whether u enters g for the first time, and remembers it.
func (e *entrances) first(u UserID, g GroupID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := entrance{u, g}
	_, young := e.young[key]
	_, old := e.old[key]
	if len(e.young) >= maxEntrances {
		e.young, e.old = map[entrance]struct{}{}, e.young
	}
	e.young[key] = struct{}{}
	return !young && !old
}
