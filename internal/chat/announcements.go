package chat

import (
	"context"
	"fmt"
)

// Announcement is what a group announces, and how many have read it.
type Announcement struct {
	Text        string `json:"announcement"`
	AnnouncedAt Time   `json:"announcedAt,omitempty"`
	Read        int    `json:"read"` // members who have read it
	Of          int    `json:"of"`   // members there are
}

// Announcement is what a group announces, and how many have read it: "12 of 15".
func (s *Service) Announcement(ctx context.Context, who *User, g GroupID) (a *Announcement, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		group, _, err := s.within(r, who, g, ActRead)
		if err != nil {
			return err
		}
		a = &Announcement{Text: group.Announcement, AnnouncedAt: group.AnnouncedAt, Read: group.Informed, Of: group.MemberCount}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read the announcement of %s", g))
	}
	return a, nil
}

// ReadAnnouncement notes that who has read what a group announces now; who's own devices hear of it. A guest who is no
// member leaves no trace.
func (s *Service) ReadAnnouncement(ctx context.Context, who *User, g GroupID) (*Announcement, error) {
	unread := false
	err := s.store.View(ctx, func(r Reader) error {
		group, m, err := s.within(r, who, g, ActRead)
		unread = err == nil && m.Active() && group.Announced > m.Announced
		return err
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read the announcement of %s", g))
	}
	if unread {
		err = s.act(ctx, who, g, ActRead, func(d *deed) error {
			if !d.me.Active() || d.me.Announced >= d.group.Announced {
				return nil
			}
			d.me.Announced = d.group.Announced
			return d.tx.PutPrivate(d.me)
		})
		if err != nil {
			return nil, err
		}
	}
	return s.Announcement(ctx, who, g)
}
