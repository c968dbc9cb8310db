package chat

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"qun/internal/names"
)

const (
	maxTopic    = 500         // code points
	maxSlowMode = 6 * 60 * 60 // seconds
	maxTails    = 20          // addresses tried before none is suggested
)

// GroupUpdate changes what is said in it of a group; nil leaves as it is. A rename never changes the address.
type GroupUpdate struct {
	Group        GroupID     `json:"groupId"`
	Name         *string     `json:"name,omitempty"`
	Topic        *string     `json:"topic,omitempty"`
	Avatar       *FileID     `json:"avatar,omitempty"` // an upload of mine; "" for none
	Announcement *string     `json:"announcement,omitempty"`
	SlowMode     *int        `json:"slowMode,omitempty"` // seconds; 0 for off
	Joining      *Joining    `json:"joining,omitempty"`
	Visibility   *Visibility `json:"visibility,omitempty"` // to private: the address is given up
	Room         *string     `json:"room,omitempty"`       // the address, of a group that gets one; else its name
	History      *Extent     `json:"history,omitempty"`
	Retention    *int        `json:"retention,omitempty"` // days that messages are kept; 0: as the server says
}

// reshapes reports whether in takes an owner.
func (in *GroupUpdate) reshapes() bool {
	return in.Visibility != nil || in.Room != nil || in.History != nil || in.Retention != nil
}

// UpdateGroup does what in says, and tells of each thing that became another. What is so already takes no number.
func (s *Service) UpdateGroup(ctx context.Context, who *User, in GroupUpdate) (group *Group, err error) {
	act := ActUpdate
	if in.reshapes() {
		act = ActReshape
	}
	avatar, err := s.newPicture(ctx, who, in.Avatar)
	if err != nil {
		return nil, err
	}
	var wanted string
	err = s.act(ctx, who, in.Group, act, func(d *deed) error {
		u := update{deed: d, g: d.tx.Group()}
		u.g.Avatar = pick(avatar, u.g.Avatar)
		if err := u.set(&in); err != nil {
			return err
		}
		wanted = u.g.Room
		if err := u.put(); err != nil {
			return err
		}
		m, err := d.tx.Membership(who.ID)
		if err != nil {
			return err
		}
		group = d.tx.Group()
		group.Me = m.Me(group)
		return nil
	})
	if errors.Is(err, ErrNameTaken) {
		return nil, s.refuseAddress(ctx, wanted)
	}
	if err != nil {
		return nil, err
	}
	return group, nil
}

// pick is what p points to, or otherwise.
func pick[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// update is an UpdateGroup on its way: the group as it was is in the deed.
type update struct {
	*deed
	g   *Group
	key string // of an address that is new
}

func (u *update) set(in *GroupUpdate) (err error) {
	if in.Name != nil {
		if u.g.Name, err = u.groupName(*in.Name); err != nil {
			return err
		}
	}
	u.g.Topic, u.g.SlowMode = pick(in.Topic, u.g.Topic), pick(in.SlowMode, u.g.SlowMode)
	u.g.Announcement = pick(in.Announcement, u.g.Announcement)
	u.g.Visibility, u.g.History = pick(in.Visibility, u.g.Visibility), pick(in.History, u.g.History)
	u.g.Joining, u.g.Retention = pick(in.Joining, u.g.Joining), pick(in.Retention, u.g.Retention)
	if u.g.Visibility == VisibilityOpen && in.Joining == nil {
		u.g.Joining = JoiningOpen
	}
	if u.g.Announcement != u.group.Announcement {
		u.g.AnnouncedAt = u.now()
	}
	if err := u.checkShape(u.g); err != nil {
		return err
	}
	return u.move(in.Room)
}

// move gives the group the address that its visibility wants.
func (u *update) move(room *string) (err error) {
	switch {
	case u.g.Visibility == VisibilityPrivate:
		if room != nil && *room != "" {
			return refusePrivateAddress()
		}
		u.g.Room = ""
	case u.g.Room == "":
		u.g.Room, u.key, err = u.address(or(pick(room, ""), u.g.Name))
	case room != nil && *room != u.g.Room:
		return refuseAddressStays()
	}
	return err
}

// put stores what became another, and tells of it.
func (u *update) put() error {
	told := u.changes()
	if len(told) == 0 && u.g.Room == u.group.Room {
		return nil
	}
	if u.g.Room != u.group.Room {
		if err := u.tx.SetAddress(u.g.Room, u.key); err != nil {
			return err
		}
	}
	if err := u.tx.PutGroup(u.g); err != nil {
		return err
	}
	for _, act := range told {
		if err := u.tell(act, ""); err != nil {
			return err
		}
	}
	return nil
}

// changes are the lines that tell what became another.
func (u *update) changes() (told []SystemAct) {
	note := func(changed bool, act, value string) {
		if changed {
			told = append(told, SystemAct{Act: act, Value: value})
		}
	}
	was, is := u.group, u.g
	note(was.Name != is.Name, SystemName, is.Name)
	note(was.Topic != is.Topic, SystemTopic, is.Topic)
	note(was.Avatar != is.Avatar, SystemAvatar, "")
	note(was.Announcement != is.Announcement, SystemAnnouncement, "")
	note(was.Visibility != is.Visibility, SystemVisibility, string(is.Visibility))
	note(was.Joining != is.Joining, SystemJoining, string(is.Joining))
	note(was.History != is.History, SystemHistory, string(is.History))
	note(was.Retention != is.Retention, SystemRetention, strconv.Itoa(is.Retention))
	note(was.SlowMode != is.SlowMode, SystemSlowMode, strconv.Itoa(is.SlowMode))
	return told
}

// checkShape refuses what a group cannot be.
func (s *Service) checkShape(g *Group) error {
	switch {
	case g.Visibility != VisibilityOpen && g.Visibility != VisibilityPublic && g.Visibility != VisibilityPrivate,
		g.Joining != JoiningOpen && g.Joining != JoiningApproval && g.Joining != JoiningInvite,
		g.History != ExtentAll && g.History != ExtentJoined:
		return refuseShape()
	case g.Visibility == VisibilityOpen && g.Joining != JoiningOpen:
		return refuseShutOpen()
	case g.SlowMode < 0 || g.SlowMode > maxSlowMode:
		return refuseSlowMode(maxSlowMode)
	case g.Retention < 0 || g.Retention > maxRetention:
		return refuseRetention(maxRetention)
	}
	if err := checkText(g.Topic, maxTopic); err != nil {
		return err
	}
	return checkText(g.Announcement, s.Limits().MessageLength)
}

// checkText refuses what is no text, or has more than limit code points; 0 is no limit.
func checkText(text string, limit int) error {
	length := utf8.RuneCountInString(text)
	switch {
	case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
		return refuseText()
	case limit > 0 && length > limit:
		return refuseLength(length, limit)
	}
	return nil
}

// newPicture is the address of a picture that in asks for: nil, if it does not, "" for none.
func (s *Service) newPicture(ctx context.Context, who *User, in *FileID) (*string, error) {
	if in == nil {
		return nil, nil
	}
	url, err := s.NewAvatar(ctx, who, *in)
	return &url, err
}

// refuseAddress refuses an address that another group has, with the first free one like it.
func (s *Service) refuseAddress(ctx context.Context, room string) error {
	suggestion := ""
	err := s.store.View(ctx, func(r Reader) error {
		for n := 2; n < maxTails; n++ {
			shown, key, err := names.Room(room+" "+strconv.Itoa(n), s.Limits().Room)
			if err != nil {
				return nil // too long by now
			}
			if _, err := r.GroupByRoom(key); errors.Is(err, ErrNotFound) {
				suggestion = shown
				return nil
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return refusal(err, "look for a free address")
	}
	return refuseAddressTaken(suggestion)
}
