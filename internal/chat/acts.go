package chat

import (
	"context"
	"errors"
	"fmt"
)

// deed is an act under way, on the locked group, by somebody who may do it.
type deed struct {
	*Service
	tx    GroupTx
	who   *User
	group *Group      // as it was when the act began
	me    *Membership // of who
}

// act lets who do an act in a group, if the table of permits says so. What do did is durable, and the group has heard of
// it, when act returns. do may run more than once: it sets its results.
func (s *Service) act(ctx context.Context, who *User, id GroupID, act Act, do func(d *deed) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	if wait := s.entries.Take(who.ID); wait > 0 {
		return refuseRate(wait)
	}
	err := s.store.Change(ctx, id, func(tx GroupTx) error {
		m, err := orNone(tx.Membership(who.ID))
		if err != nil {
			return fmt.Errorf("read a membership: %w", err)
		}
		d := &deed{s, tx, who, tx.Group(), m}
		if err := s.permit(d.group, m, who, act); err != nil {
			return err
		}
		return do(d)
	})
	if errors.Is(err, ErrNotFound) {
		return refuseGroup()
	}
	if err != nil {
		return refusal(err, fmt.Sprintf("%s in group %s", act, id))
	}
	s.announcer.settle(ctx, counter{group: id})
	s.announcer.settle(ctx, counter{user: who.ID})
	return nil
}

// member is somebody else who is in the group, on whom who may use its power.
func (d *deed) member(u UserID) (*Membership, error) {
	if u == d.who.ID {
		return nil, refuseSelf()
	}
	m, err := orNone(d.tx.Membership(u))
	switch {
	case err != nil:
		return nil, err
	case !m.Active():
		return nil, refuseMember()
	case !d.me.outranks(m):
		return nil, refuseRank()
	}
	return m, nil
}

// tell says in the group what was done, and keeps it in the audit.
func (d *deed) tell(act SystemAct, target string) error {
	if err := d.say(act, target); err != nil {
		return err
	}
	return d.audit(act.Act, act.Target, act.Value)
}

// say says in the group what was done: a system line, worded by each app. target is the name of whom it was done to.
func (d *deed) say(act SystemAct, target string) error {
	act.By = d.who.ID
	return d.tx.AddMessage(d.systemLine(d.group.ID, act, d.who.NickName, target))
}

// audit keeps who used a power.
func (d *deed) audit(act string, target UserID, value string) error {
	return d.tx.Audit(&AuditEntry{At: d.now(), Act: act, By: d.who.ID, Group: d.group.ID, Target: target, Value: value})
}
