package chat

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"qun/internal/names"
)

// maxAdded bounds how many are added at once.
const maxAdded = 100

// NewGroup is a group to be made. What is left out is private, by invitation, with all of its history for everybody.
type NewGroup struct {
	Name       string     `json:"name"`
	Topic      string     `json:"topic,omitempty"`
	Avatar     FileID     `json:"avatar,omitempty"` // an upload of mine
	Visibility Visibility `json:"visibility,omitempty"`
	Joining    Joining    `json:"joining,omitempty"`
	History    Extent     `json:"history,omitempty"`
	Room       string     `json:"room,omitempty"`     // the address of one that is not private; "": its name
	Members    []UserID   `json:"members,omitempty"`  // beside who makes it; who cannot be added is left out
	ClientID   string     `json:"clientId,omitempty"` // 1–64 bytes, or empty: then it is made as often as it is asked
}

// hash is what is compared when a clientId comes again: all of the request.
func (in NewGroup) hash() (RequestHash, error) {
	in.ClientID = ""
	data, err := json.Marshal(in)
	sum := sha256.Sum256(data)
	return RequestHash(sum[:16]), err
}

// Made is the answer to NewGroup: the group as it is now.
type Made struct {
	Group     *Group `json:"group"`
	Duplicate bool   `json:"duplicate,omitempty"`
}

// Founding is a group on its way into the store.
type Founding struct {
	Group    *Group
	Key      string // its address, as it is looked up; "": it has none
	By       UserID
	ClientID string // "": of none
	Hash     RequestHash
}

// GroupStore makes groups.
type GroupStore interface {
	// CreateGroup makes a group, and runs first on it as Change does, all or nothing. A clientId under which its user made
	// one before is ErrClientIDUsed, an address that another group has ErrNameTaken.
	CreateGroup(ctx context.Context, f *Founding, first func(tx GroupTx) error) error
}

// CreateGroup makes a group that who owns. The same clientId of the same user is the same group, for ever: it is answered as
// who sees it now, before any other rule is asked.
func (s *Service) CreateGroup(ctx context.Context, who *User, in NewGroup) (*Made, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	if !validClientID(in.ClientID) {
		return nil, refuseClientID()
	}
	made, err := s.madeBefore(ctx, who, &in)
	if err != nil || made != nil {
		return made, err
	}
	group, err := s.create(ctx, who, &in)
	if errors.Is(err, ErrClientIDUsed) { // meanwhile
		return s.madeBefore(ctx, who, &in)
	}
	if err != nil {
		return nil, refusal(err, "make a group")
	}
	return &Made{Group: group}, nil
}

// madeBefore answers a request that was granted before; nil: it was not.
func (s *Service) madeBefore(ctx context.Context, who *User, in *NewGroup) (*Made, error) {
	if in.ClientID == "" {
		return nil, nil
	}
	var id GroupID
	var hash RequestHash
	err := s.store.View(ctx, func(r Reader) (err error) {
		id, hash, err = r.GroupByClientID(who.ID, in.ClientID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, refusal(err, "look up a clientId")
	}
	if asked, err := in.hash(); err != nil || hash != asked {
		return nil, refuseMadeAlready()
	}
	group, err := s.Group(ctx, who, id)
	if err != nil {
		return nil, err
	}
	return &Made{group, true}, nil
}

// create makes a group that was not made before.
func (s *Service) create(ctx context.Context, who *User, in *NewGroup) (*Group, error) {
	hash, err := in.hash()
	if err != nil {
		return nil, err
	}
	g, key, err := s.newGroup(ctx, who, in)
	if err != nil {
		return nil, err
	}
	if wait := s.entries.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	var members []*User
	err = s.store.View(ctx, func(r Reader) (err error) {
		if err := s.roomForOneMore(r, who.ID); err != nil {
			return err
		}
		members, err = s.addable(r, who, in.Members)
		return err
	})
	if err != nil {
		return nil, err
	}
	var made *Group
	f := &Founding{Group: g, Key: key, By: who.ID, ClientID: in.ClientID, Hash: hash}
	err = s.store.CreateGroup(ctx, f, func(tx GroupTx) (err error) {
		made, err = s.found(tx, who, members)
		return err
	})
	if errors.Is(err, ErrNameTaken) {
		return nil, s.refuseAddress(ctx, g.Room)
	}
	if err != nil {
		return nil, err
	}
	s.announcer.settle(ctx, counter{group: g.ID})
	s.announcer.settle(ctx, counter{user: who.ID})
	return made, nil
}

// newGroup checks what a group shall be.
func (s *Service) newGroup(ctx context.Context, who *User, in *NewGroup) (g *Group, key string, err error) {
	if who.Guest {
		return nil, "", refuseGuestAct()
	}
	if len(in.Members) > maxAdded {
		return nil, "", refuseManyMembers(maxAdded)
	}
	now := s.cfg.Now()
	g = &Group{
		ID: GroupID(newID(now)), Name: in.Name, Topic: in.Topic, Kind: KindGroup, Visibility: or(in.Visibility, VisibilityPrivate),
		Joining: in.Joining, History: or(in.History, ExtentAll), CreatedAt: TimeOf(now),
	}
	if g.Joining == "" {
		g.Joining = JoiningOpen
		if g.Visibility == VisibilityPrivate {
			g.Joining = JoiningInvite
		}
	}
	if g.Name, err = s.groupName(in.Name); err != nil {
		return nil, "", err
	}
	if err := s.checkShape(g); err != nil {
		return nil, "", err
	}
	if g.Avatar, err = s.NewAvatar(ctx, who, in.Avatar); err != nil {
		return nil, "", err
	}
	if g.Visibility == VisibilityPrivate {
		return g, "", nil
	}
	g.Room, key, err = s.address(or(in.Room, g.Name))
	return g, key, err
}

// or is v, or, if that was left out, otherwise.
func or[T comparable](v, otherwise T) T {
	var none T
	if v == none {
		return otherwise
	}
	return v
}

// groupName checks the name of a group, which looks like an address and is none.
func (s *Service) groupName(name string) (string, error) {
	shown, _, err := names.Room(name, s.Limits().Room)
	return shown, s.badRoom(err)
}

// address checks the address of a group: how it is written, and what it is found by.
func (s *Service) address(room string) (shown, key string, err error) {
	shown, key, err = names.Room(room, s.Limits().Room)
	return shown, key, s.badRoom(err)
}

// found fills a group that was just made.
func (s *Service) found(tx GroupTx, who *User, members []*User) (*Group, error) {
	g := tx.Group()
	me := newMembership(g.ID, who, RoleOwner, s.now())
	if err := tx.PutMembership(me); err != nil {
		return nil, err
	}
	d := &deed{s, tx, who, g, me}
	if err := d.tell(SystemAct{Act: SystemCreated, Value: g.Name}, ""); err != nil {
		return nil, err
	}
	for _, u := range members {
		if _, err := d.add(u); err != nil {
			return nil, err
		}
	}
	g = tx.Group()
	me, err := tx.Membership(who.ID)
	if err != nil {
		return nil, err
	}
	g.Me = me.Me(g)
	return g, nil
}

// addable are those of ids whom who may add to a group: members of the server who have room for one more group and did
// not block who. Who is not, and who does not exist, is left out alike.
func (s *Service) addable(r Reader, who *User, ids []UserID) ([]*User, error) {
	var users []*User
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		u, err := r.User(id)
		if errors.Is(err, ErrNotFound) || err == nil && (u.Guest || u.Deleted() || u.ID == who.ID) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("look up user %s: %w", id, err)
		}
		blocked, err := r.Blocked(id, who.ID)
		if err != nil {
			return nil, err
		}
		full := s.roomForOneMore(r, id)
		if blocked || isRefusal(full) {
			continue
		}
		if full != nil {
			return nil, full
		}
		users = append(users, u)
	}
	return users, nil
}

func isRefusal(err error) bool {
	var refused *Error
	return errors.As(err, &refused)
}

// add makes u a member, unless it is one or is kept out.
func (d *deed) add(u *User) (added bool, err error) {
	m, err := orNone(d.tx.Membership(u.ID))
	if err != nil || m.Active() || m.isOut(d.now()) {
		return false, err
	}
	if d.full() {
		return false, refuseFull()
	}
	if err := d.enrol(d.tx, u, RoleMember); err != nil {
		return false, err
	}
	return true, d.say(SystemAct{Act: SystemAdded, Target: u.ID}, u.NickName)
}

func (d *deed) full() bool {
	limit := d.Limits().MembersPerGroup
	return limit > 0 && d.tx.Group().MemberCount >= limit
}

// AddMembers makes others members of a group, without asking them; those who cannot be added are left out. It returns who
// was.
func (s *Service) AddMembers(ctx context.Context, who *User, g GroupID, ids []UserID) (added []UserID, err error) {
	if len(ids) > maxAdded {
		return nil, refuseManyMembers(maxAdded)
	}
	var users []*User
	err = s.store.View(ctx, func(r Reader) (err error) {
		if _, _, err := s.within(r, who, g, ActInvite); err != nil {
			return err
		}
		users, err = s.addable(r, who, ids)
		return err
	})
	if err != nil {
		return nil, refusal(err, "read whom to add")
	}
	err = s.act(ctx, who, g, ActInvite, func(d *deed) error {
		added = []UserID{}
		if d.me.Role == RoleMember && d.group.Joining != JoiningOpen {
			return refuseRole() // others decide who comes in
		}
		for _, u := range users {
			if did, err := d.add(u); err != nil {
				return err
			} else if did {
				added = append(added, u.ID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}
