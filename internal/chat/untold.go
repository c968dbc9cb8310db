package chat

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// News is what a group still has to be told of a user.
type News string

const (
	NewsRenamed News = "renamed" // its name or picture is another
	NewsParted  News = "parted"  // it deleted its account: it leaves, and its name goes from what it said
	NewsErased  News = "erased"  // and what it said goes, too
)

// Untold is a group that has to be told of a user.
type Untold struct {
	User  UserID
	Group GroupID
	News  News
	UpTo  Seq // what was said up to here is done
}

// UntoldStore remembers what groups have to be told. PutUser and DeleteUser write it in their own transaction, so that a
// crash forgets nothing; it is told group by group, so that nobody waits for a user of many groups.
type UntoldStore interface {
	// Untold are some of what is to be told, at most limit; first and second the same pairs come again until they are told.
	Untold(ctx context.Context, limit int) ([]Untold, error)
}

// UntoldTx is what a group's transaction does about it.
type UntoldTx interface {
	// Untold is what the group has to be told of a user, or ErrNotFound: somebody else told it meanwhile.
	Untold(UserID) (*Untold, error)
	// PutUntold notes how far it is told.
	PutUntold(*Untold) error
	// DropUntold says that all is told.
	DropUntold(UserID) error
	// MessagesOf are what a user said between two numbers: after < seq ≤ upTo, oldest first.
	MessagesOf(u UserID, after, upTo Seq) ([]*Message, error)
	// Heir is who would lead the group without this member: its eldest admin, else its eldest member with an account;
	// ErrNotFound if there is nobody else.
	Heir(without UserID) (*Membership, error)
}

const (
	// untoldPage is how many are looked up at a time.
	untoldPage = 100
	// partingStep is how many numbers of a group are gone through in one transaction, and partingPause the time between
	// two of them, so that those who are there can follow.
	partingStep  = 200
	partingPause = 100 * time.Millisecond
	// untoldPause is how long it waits after an accident.
	untoldPause = 10 * time.Second
)

// teller tells groups what they have to be told of users: one at a time, in the background, again after a restart.
type teller struct {
	service *Service
	bell    chan struct{} // capacity 1: there is something to tell
	done    chan struct{} // closed when run has ended
	stop    context.CancelFunc
}

func startTeller(s *Service) *teller {
	ctx, stop := context.WithCancel(context.Background())
	t := &teller{service: s, bell: make(chan struct{}, 1), done: make(chan struct{}), stop: stop}
	t.ring() // what was left of the last time
	go t.run(ctx)
	return t
}

func (t *teller) ring() {
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// close leaves what is not told for the next start.
func (t *teller) close() {
	t.stop()
	<-t.done
}

// run is the only one who tells; close waits for it.
func (t *teller) run(ctx context.Context) {
	defer close(t.done)
	for {
		select {
		case <-t.bell:
		case <-ctx.Done():
			return
		}
		if err := t.tellAll(ctx); err != nil && ctx.Err() == nil {
			t.service.cfg.Logger.Error("tell groups of a user", "error", err)
			again := time.AfterFunc(untoldPause, t.ring)
			context.AfterFunc(ctx, func() { again.Stop() })
		}
	}
}

// tellAll tells until nothing is left.
func (t *teller) tellAll(ctx context.Context) error {
	for {
		list, err := t.service.store.Untold(ctx, untoldPage)
		if err != nil || len(list) == 0 {
			return err
		}
		paused := false
		for _, one := range list {
			if err := t.tell(ctx, one); err != nil {
				return fmt.Errorf("tell group %s: %w", one.Group, err)
			}
			paused = paused || one.News != NewsRenamed
		}
		if paused {
			pause(ctx, partingPause)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// tell takes one step.
func (t *teller) tell(ctx context.Context, one Untold) error {
	err := t.service.store.Change(ctx, one.Group, func(tx GroupTx) error {
		now, err := tx.Untold(one.User)
		switch {
		case errors.Is(err, ErrNotFound):
			return nil
		case err != nil:
			return err
		case now.News == NewsRenamed:
			return renamed(tx, now)
		}
		return t.service.parted(tx, now)
	})
	return err
}

// renamed gives the member's row the group's next number: who asks for what changed then gets it with its new name.
func renamed(tx GroupTx, u *Untold) error {
	m, err := orNone(tx.Membership(u.User))
	if err != nil {
		return err
	}
	if m.Active() {
		if err := goOn(tx, m); err != nil {
			return err
		}
	}
	return tx.DropUntold(u.User)
}

// goOn stores a membership whose user has another name, or an account by now, which may make it the group's owner.
func goOn(tx GroupTx, m *Membership) error {
	if m.Role == RoleMember {
		who, err := tx.User(m.UserID)
		if err != nil {
			return err
		}
		if m.Role, err = roleOf(tx, who); err != nil {
			return err
		}
	}
	return tx.PutMembership(m)
}

// parted takes a deleted user out of a group, step by step: first its membership, then its name, or all, of what it said.
func (s *Service) parted(tx GroupTx, u *Untold) error {
	if u.UpTo == 0 {
		if err := s.partMember(tx, u.User); err != nil {
			return err
		}
	}
	head := tx.Group().Head
	next := min(u.UpTo+partingStep, head)
	said, err := tx.MessagesOf(u.User, u.UpTo, next)
	if err != nil {
		return err
	}
	for _, m := range said {
		if !s.unname(m, u.News == NewsErased) {
			continue
		}
		if err := tx.PutMessage(m); err != nil {
			return err
		}
	}
	if next == head { // a deleted user says nothing more: what follows is none of its own
		return tx.DropUntold(u.User)
	}
	u.UpTo = next
	return tx.PutUntold(u)
}

// unname takes the sender's name out of m and, with all, what it says. It reports whether there was anything to take.
func (s *Service) unname(m *Message, all bool) bool {
	named := m.NickName != DeletedName
	m.NickName = DeletedName
	if !all || m.RecalledAt != 0 || !m.Kind.Countable() {
		return named
	}
	m.empty(s.now())
	return true
}

// partMember ends a membership for good, and hands on what it led.
func (s *Service) partMember(tx GroupTx, u UserID) error {
	m, err := orNone(tx.Membership(u))
	if err != nil || !m.Active() {
		return err
	}
	if m.Role == RoleOwner {
		heir, err := orNone(tx.Heir(u))
		if err != nil {
			return err
		}
		if heir != nil {
			heir.Role = RoleOwner
			if err := tx.PutMembership(heir); err != nil {
				return err
			}
		}
	}
	m.Role, m.State, m.GroupNick = RoleMember, MemberLeft, ""
	return tx.PutMembership(m)
}
