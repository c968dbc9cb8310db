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

// Overview is Greet without what changed.
func (s *Service) Overview(ctx context.Context, who *User) (*Overview, error) {
	all, _, err := s.Greet(ctx, who, nil)
	return all, err
}

// overviewOf is all of who's: all groups with their newest message, pinned and latest first.
func overviewOf(r ReactionReader, who UserID, own *Mine, last map[GroupID]*Message) (*Overview, error) {
	all := &Overview{Head: own.Head, Settings: own.Settings, Groups: make([]*Conversation, 0, len(own.Belongings))}
	for i := range own.Belongings {
		b := &own.Belongings[i]
		if !b.holds() {
			continue
		}
		group := *b.Group
		group.Me = myView(&group, b.Membership)
		if group.Kind == KindDirect {
			group.Me.Peer = own.Peers[group.ID]
		}
		c := &Conversation{Group: &group, Draft: b.Membership.Draft}
		if m := last[group.ID]; m != nil && m.Seq >= firstSeq(&group, b.Membership) {
			var err error
			if c.LastMessage, err = markOne(r, who, m); err != nil {
				return nil, err
			}
		}
		all.Groups = append(all.Groups, c)
	}
	sortConversations(all.Groups)
	for _, q := range own.Requests {
		if q.State == RequestWaiting {
			all.Pending = append(all.Pending, q.pending())
		}
	}
	for _, b := range own.Blocks {
		if b.On {
			all.Blocked = append(all.Blocked, b.User)
		}
	}
	return all, nil
}

func sortConversations(list []*Conversation) {
	slices.SortStableFunc(list, func(a, b *Conversation) int {
		if a.Me.Pinned != b.Me.Pinned {
			if a.Me.Pinned {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.latest(), a.latest())
	})
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
