package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Snapshot is a group as it is entered.
type Snapshot struct {
	Epoch    string     `json:"epoch"`
	Head     Seq        `json:"head"`
	Group    *Group     `json:"group"`
	Messages []*Message `json:"messages"`
	Before   bool       `json:"before"` // there is more before these
}

// Overview is all of mine.
type Overview struct {
	Head     Seq             `json:"head"` // my own counter; 0 for a guest that never spoke
	Settings json.RawMessage `json:"settings"`
	Groups   []*Conversation `json:"groups"`
	Pending  []*Pending      `json:"pending,omitempty"` // groups I wait to be let into
	Blocked  []UserID        `json:"blocked,omitempty"` // whom I block
}

// Snapshot is the answer to joinRoom: the group with my Me, and its newest page, of one moment.
func (s *Service) Snapshot(ctx context.Context, who *User, id GroupID) (*Snapshot, error) {
	snap := &Snapshot{Epoch: s.store.Epoch()}
	err := s.store.View(ctx, func(r Reader) (err error) {
		group, m, err := s.group(r, who, id)
		if err != nil {
			return err
		}
		page, err := newestPage(visibleTo(r, group, m), id, pageSize)
		if err != nil {
			return err
		}
		snap.Group, snap.Head, snap.Messages, snap.Before = group, group.Head, page.Messages, page.Before
		return mark(r, who.ID, snap.Messages)
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read group %s", id))
	}
	s.follow(counter{group: id}, snap.Head)
	return snap, nil
}

// Group looks a group up by its id, with my Me.
func (s *Service) Group(ctx context.Context, who *User, id GroupID) (group *Group, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		group, _, err = s.group(r, who, id)
		return err
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("look up group %s", id))
	}
	return group, nil
}

// group is a group that who may read, with Me as it is with the cursors not written yet.
func (s *Service) group(r Reader, who *User, id GroupID) (*Group, *Membership, error) {
	group, m, err := s.readable(r, who, id)
	if err != nil {
		return nil, nil, err
	}
	if m.Active() {
		if m, err = readUpTo(r, m, min(s.cursors.at(who.ID, id), group.Head)); err != nil {
			return nil, nil, err
		}
	}
	group.Me = myView(group, m)
	return group, m, withPeer(r, group, who.ID)
}

// MyGroup is a group that somebody is in.
type MyGroup struct {
	ID  GroupID
	Rev Seq // the number at which the membership last changed

	Members int // how many are in it
}

// MyGroups are the groups who is in: what its sockets enter before Overview is read.
func (s *Service) MyGroups(ctx context.Context, who *User) ([]MyGroup, error) {
	var groups []MyGroup
	err := s.store.View(ctx, func(r Reader) error {
		mine, err := r.Belongings(who.ID, 0)
		groups = nil
		for _, b := range mine {
			if b.holds() {
				groups = append(groups, MyGroup{b.Group.ID, b.Membership.Rev, b.Group.MemberCount})
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list groups of %s: %w", who.ID, err)
	}
	return groups, nil
}

// Overview is what hello answers: all my groups with their newest message, pinned and latest first, of one moment. Its
// number of queries does not grow with the groups.
func (s *Service) Overview(ctx context.Context, who *User) (*Overview, error) {
	if err := s.cursors.flush(ctx, who.ID); err != nil {
		return nil, refusal(err, "write read cursors")
	}
	all := &Overview{}
	err := s.store.View(ctx, func(r Reader) (err error) {
		if all.Head, _, err = r.UserCounter(who.ID); err != nil {
			return err
		}
		if all.Settings, _, err = r.Settings(who.ID); err != nil {
			return err
		}
		mine, err := r.Belongings(who.ID, 0)
		if err != nil {
			return err
		}
		last, err := r.LastMessages(who.ID)
		if err != nil {
			return err
		}
		for g, m := range last {
			if last[g], err = markOne(r, who.ID, m); err != nil {
				return err
			}
		}
		all.Groups = conversations(mine, last)
		return all.readPrivate(r, who.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("read overview of %s: %w", who.ID, err)
	}
	s.follow(counter{user: who.ID}, all.Head)
	for _, c := range all.Groups {
		s.follow(counter{group: c.ID}, c.Head)
	}
	return all, nil
}

// readPrivate reads what is beside the groups, and who the others are in groups of two.
func (o *Overview) readPrivate(r Reader, who UserID) error {
	peers, err := r.Peers(who, "")
	if err != nil {
		return err
	}
	for _, c := range o.Groups {
		if c.Kind == KindDirect {
			c.Me.Peer = peers[c.ID]
		}
	}
	requests, err := r.JoinRequestsOf(who, 0)
	if err != nil {
		return err
	}
	for _, q := range requests {
		if q.State == RequestWaiting {
			o.Pending = append(o.Pending, q.pending())
		}
	}
	blocks, err := r.Blocks(who, 0)
	for _, b := range blocks {
		if b.On {
			o.Blocked = append(o.Blocked, b.User)
		}
	}
	return err
}

func conversations(mine []Belonging, last map[GroupID]*Message) []*Conversation {
	list := make([]*Conversation, 0, len(mine))
	for _, b := range mine {
		if !b.holds() {
			continue
		}
		b.Group.Me = myView(b.Group, b.Membership)
		list = append(list, &Conversation{Group: b.Group, LastMessage: last[b.Group.ID], Draft: b.Membership.Draft})
	}
	slices.SortStableFunc(list, func(a, b *Conversation) int {
		if a.Me.Pinned != b.Me.Pinned {
			if a.Me.Pinned {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.latest(), a.latest())
	})
	return list
}

// latest is when something was last said in c.
func (c *Conversation) latest() Time {
	if c.LastMessage != nil {
		return c.LastMessage.SentAt
	}
	return c.CreatedAt
}

// holds reports whether b is a group its user is in.
func (b *Belonging) holds() bool { return b.Membership.Active() && b.Group.DissolvedAt == 0 }

// Heads are the counters of those groups that exist: the digest.
func (s *Service) Heads(ctx context.Context, groups []GroupID) (heads map[GroupID]Seq, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		heads, err = r.Heads(groups)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return heads, nil
}

// silence is how long a room in which nobody ever spoke is kept.
const silence = 24 * time.Hour

// Tidy drops what guests left behind without a word: rooms that they made a day ago or earlier, and in which nothing
// ever happened. It is for the start, when nobody is in one.
func (s *Service) Tidy(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	if _, err := s.store.DropSilentRooms(ctx, TimeOf(s.cfg.Now().Add(-silence))); err != nil {
		return fmt.Errorf("tidy up: %w", err)
	}
	return nil
}
