package chat

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxRetention bounds for how many days a group may say that it keeps its messages.
	maxRetention = 3650
	// eraseStep is how many messages are erased at once: others write between two steps.
	eraseStep = 200
)

// RetentionReader finds what groups keep no longer.
type RetentionReader interface {
	// GroupsAfter are the groups with an id after id, in order of id, at most limit; dissolved ones, too.
	GroupsAfter(id GroupID, limit int) ([]*Group, error)
	// SentBefore is the last seq of the messages with which a group begins that were sent before a moment; 0 if there is none.
	SentBefore(g GroupID, at Time) (Seq, error)
	// CursorsBefore are the active members of a group who have not read up to seq.
	CursorsBefore(g GroupID, seq Seq) ([]UserID, error)
}

// RetentionStore erases what groups keep no longer.
type RetentionStore interface {
	// Erase deletes at most limit messages below the group's floor, with all that hangs on them, and says how many. It takes
	// no number: the floor did.
	Erase(ctx context.Context, g GroupID, limit int) (int, error)
}

// keeps is for how many days a group keeps its messages, by its own rule and the server's: the shorter one holds. 0 is
// for ever.
func (s *Service) keeps(g *Group) int {
	if g.Retention == 0 || s.retention() == 0 {
		return max(g.Retention, s.retention())
	}
	return min(g.Retention, s.retention())
}

// Expire erases what groups keep no longer. It is to be called now and then; what it was cut off in the middle of, it does
// the next time.
func (s *Service) Expire(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	for last := GroupID(""); ; {
		var some []*Group
		err := s.store.View(ctx, func(r Reader) (err error) {
			some, err = r.GroupsAfter(last, sweepStep)
			return err
		})
		if err != nil {
			return fmt.Errorf("list groups: %w", err)
		}
		for _, g := range some {
			if err := s.expire(ctx, g); err != nil && !errors.Is(err, ErrNotFound) {
				return fmt.Errorf("erase messages of %s: %w", g.ID, err)
			}
			last = g.ID
		}
		if len(some) < sweepStep {
			return nil
		}
	}
}

func (s *Service) expire(ctx context.Context, g *Group) error {
	floor := g.Floor
	if days := s.keeps(g); days > 0 {
		end, err := s.sentBefore(ctx, g.ID, TimeOf(s.cfg.Now().Add(-time.Duration(days)*24*time.Hour)))
		if err != nil {
			return err
		}
		if end >= g.Floor && end > 0 {
			floor = end + 1
		}
	}
	if floor > g.Floor {
		if err := s.raiseFloor(ctx, g.ID, floor); err != nil {
			return err
		}
	}
	if floor == 0 {
		return nil
	}
	for {
		n, err := s.store.Erase(ctx, g.ID, eraseStep)
		if err != nil || n < eraseStep {
			return err
		}
	}
}

func (s *Service) sentBefore(ctx context.Context, g GroupID, at Time) (end Seq, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		end, err = r.SentBefore(g, at)
		return err
	})
	return end, err
}

// raiseFloor raises the floor of a group. Everybody has read what is below it, before it is: so no count ever holds what
// is gone.
func (s *Service) raiseFloor(ctx context.Context, id GroupID, floor Seq) error {
	var behind []Cursor
	err := s.store.View(ctx, func(r Reader) error {
		users, err := r.CursorsBefore(id, floor-1)
		behind = behind[:0]
		for _, u := range users {
			behind = append(behind, Cursor{Group: id, User: u, Read: floor - 1})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look for cursors: %w", err)
	}
	if err := s.store.MoveCursors(ctx, behind); err != nil {
		return err
	}
	return s.store.Change(ctx, id, func(tx GroupTx) error {
		g := tx.Group()
		if g.Floor >= floor {
			return nil
		}
		g.Floor = floor
		return tx.PutGroup(g)
	})
}
