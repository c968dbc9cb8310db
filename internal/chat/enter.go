package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"qun/internal/names"
)

// Entry says where somebody wants in: by the address Room, by Group, or by the token of an Invite.
type Entry struct {
	Room    string
	Group   GroupID
	Invite  string
	Text    string // to those who decide, where one has to be let in
	Address string // where a guest without a token comes from; "" for whoever else
	Plain   bool   // a plain client's guest: its join line is told at every entry
}

// Entered says that the way is free.
type Entered struct {
	User     *User    // who entered; a guest whose name a member bears by now has the suffix
	Group    *Group   // with Me
	Pending  bool     // who waits now to be let in: the outcome comes by the user's own counter
	Visitor  bool     // a guest who is no member
	Rev      Seq      // the number at which the membership last changed; 0 if there never was one
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
	e := entry{Service: s, ctx: ctx, in: in, who: who}
	err := e.find()
	if err == nil {
		err = e.join()
	}
	if err != nil {
		return nil, refusal(err, "enter a group")
	}
	if e.pending {
		return &Entered{User: e.who, Group: e.group, Pending: true}, nil
	}
	entered := &Entered{User: e.who, Group: e.group, JoinLine: e.line(in.Plain), Visitor: !e.member.Active()}
	if e.member != nil {
		entered.Rev = e.member.Rev
	}
	s.follow(counter{group: e.group.ID}, e.group.Head)
	return entered, nil
}

// entry is one Enter on its way.
type entry struct {
	*Service
	ctx context.Context
	in  Entry

	who     *User
	group   *Group
	member  *Membership // nil if there never was one
	invite  *Invite     // nil: uninvited
	host    *Membership // who made the invite
	pending bool
}

// find looks the group up, or makes it.
func (e *entry) find() error {
	if e.in.Invite != "" {
		return e.look(e.invited)
	}
	if e.in.Group != "" {
		return e.lookByID(e.in.Group)
	}
	shown, key, err := names.Room(e.in.Room, e.Limits().Room)
	if err != nil {
		return e.badRoom(err)
	}
	err = e.look(func(r Reader) (*Group, error) { return r.GroupByRoom(key) })
	if errors.Is(err, ErrNotFound) {
		err = e.open(shown, key)
	}
	return err
}

// invited is the group that the token invites to.
func (e *entry) invited(r Reader) (group *Group, err error) {
	e.invite, group, e.host, err = e.invitation(r, e.in.Invite)
	return group, err
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
	case e.who.Guest && e.Guests() == GuestsOff:
		return refuseGuests()
	case e.who.Guest && e.Guests() == GuestsJoin:
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
		err := e.store.View(e.ctx, func(r Reader) error { return e.roomForOneMore(r, e.who.ID) })
		if err != nil {
			return err
		}
		first = func(tx GroupTx) error { return e.enrolAs(tx, RoleOwner) }
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

// join admits who, and begins the membership of a member who has none, or makes it wait for that.
func (e *entry) join() error {
	if err := e.admit(e.group, e.member); err != nil {
		return err
	}
	if e.member.Active() || e.who.Guest {
		e.group.Me = myView(e.group, e.member)
		return nil
	}
	if err := checkText(e.in.Text, maxReason); err != nil {
		return err
	}
	if wait := e.entries.Take(e.who.ID); wait > 0 {
		return refuseRate(wait)
	}
	err := e.store.View(e.ctx, func(r Reader) error { return e.roomForOneMore(r, e.who.ID) })
	if err != nil {
		return err
	}
	if err := e.store.Change(e.ctx, e.group.ID, e.begin); err != nil {
		return err
	}
	e.group.Me = myView(e.group, e.member)
	e.announcer.settle(e.ctx, counter{group: e.group.ID})
	e.announcer.settle(e.ctx, counter{user: e.who.ID})
	return nil
}

// begin asks again, now that nobody else changes the group, and lets who in.
func (e *entry) begin(tx GroupTx) (err error) {
	if e.member, err = orNone(tx.Membership(e.who.ID)); err != nil {
		return err
	}
	e.group, e.pending = tx.Group(), false
	if e.invite != nil {
		if err := e.redeem(tx); err != nil {
			return err
		}
	}
	if err := e.admit(e.group, e.member); err != nil || e.member.Active() { // on another device, meanwhile
		return err
	}
	if e.mustWait() {
		e.pending = true
		return e.ask(tx, e.who, e.in.Text)
	}
	if e.invite != nil {
		e.invite.Uses++
		if err := tx.PutInvite(e.invite); err != nil {
			return err
		}
	}
	return e.enrolAs(tx, RoleMember)
}

// redeem reads the invite once more: it may have been used up, and its maker removed.
func (e *entry) redeem(tx GroupTx) (err error) {
	if e.invite, err = tx.Invite(e.invite.ID); err != nil {
		return err
	}
	if e.host, err = orNone(tx.Membership(e.invite.By)); err != nil {
		return err
	}
	if e.invite.ended(e.now()) || !e.mayInvite(e.group, e.host) {
		return refuseInvite()
	}
	return nil
}

// mustWait reports whether somebody has to let who in: not if one of those invited it.
func (e *entry) mustWait() bool {
	return e.group.Joining == JoiningApproval && (e.invite == nil || e.host.Role == RoleMember)
}

// enrolAs begins the membership, with the line that tells it.
func (e *entry) enrolAs(tx GroupTx, role Role) (err error) {
	if err := e.Service.join(tx, e.who, role); err != nil {
		return err
	}
	e.group = tx.Group()
	e.member, err = tx.Membership(e.who.ID)
	return err
}

// join begins a membership, with the line that tells it.
func (s *Service) join(tx GroupTx, who *User, role Role) error {
	if err := s.enrol(tx, who, role); err != nil {
		return err
	}
	return tx.AddMessage(s.joinLine(tx.Group(), who))
}

// enrol begins a membership; in a group that nobody leads it may be as owner. Who was muted stays so; who waited to be let
// in is.
func (s *Service) enrol(tx GroupTx, who *User, role Role) error {
	before, err := orNone(tx.Membership(who.ID))
	if err != nil {
		return err
	}
	if role == RoleMember {
		if role, err = roleOf(tx, who); err != nil {
			return err
		}
	}
	m := newMembership(tx.Group().ID, who, role, s.now())
	if before != nil {
		m.MutedUntil = before.MutedUntil
	}
	if err := tx.PutMembership(m); err != nil {
		return err
	}
	q, err := orNoRequest(tx.JoinRequest(who.ID))
	if err != nil || q == nil {
		return err
	}
	q.State = RequestApproved
	return s.settle(tx, q)
}

// admit refuses whom g does not take.
func (e *entry) admit(g *Group, m *Membership) error {
	as := standing(g, m, e.who, e.now())
	switch {
	case as == Outsider && (e.invite == nil || g.DissolvedAt != 0):
		return refuseGroup()
	case e.who.Guest && e.Guests() == GuestsOff:
		return refuseGuests()
	case m.isOut(e.now()), e.who.Guest && !m.Active() && e.bars.holds(g.ID, e.who.NickName, e.in.Address, e.now()):
		return refuseRemoved()
	case m.Active():
		return nil
	case e.who.Bot:
		return refuseBotEntry()
	case as == Visitor:
		return nil
	case e.who.Guest && as == Outsider:
		return refuseGuests()
	case e.who.Guest, g.Joining == JoiningInvite && e.invite == nil:
		return refuseInviteOnly()
	case e.Limits().MembersPerGroup > 0 && g.MemberCount >= e.Limits().MembersPerGroup:
		return refuseFull()
	}
	return nil
}

// roomForOneMore refuses who is in as many groups as one may be.
func (s *Service) roomForOneMore(r Reader, u UserID) error {
	limit := s.Limits().GroupsPerUser
	if limit == 0 {
		return nil
	}
	mine, err := r.GroupCount(u)
	if err != nil {
		return err
	}
	if mine >= limit {
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
	return e.joinLine(e.group, e.who)
}

func (s *Service) joinLine(g *Group, who *User) *Message {
	now := s.cfg.Now()
	room := g.Room
	if room == "" {
		room = g.Name
	}
	return &Message{
		ID: MessageID(newID(now)), GroupID: g.ID, Room: g.Room, UserID: who.ID, NickName: who.NickName,
		Guest: who.Guest, Kind: MessageJoin, Text: who.NickName + " 加入了 " + room + " 房间", SentAt: TimeOf(now),
	}
}

func (s *Service) badRoom(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, names.ErrEmpty):
		return refuseEmptyRoom()
	case errors.Is(err, names.ErrTooLong):
		return refuseLongRoom(s.Limits().Room)
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
