package chat

import (
	"context"
	"fmt"
)

// missedPage is how many rows are read at a time.
const missedPage = 500

// missed reads the events of a span of numbers from the rows as they are now. A number whose row has changed again since
// comes without a row: the later number brings it.
func (s *Service) missed(ctx context.Context, c counter, want span) (events []Event, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		if c.user != "" {
			events, err = missedByUser(r, c.user, want)
		} else {
			events, err = missedByGroup(r, c.group, want)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events %d to %d: %w", want.from, want.to, err)
	}
	return events, nil
}

func missedByGroup(r Reader, id GroupID, want span) ([]Event, error) {
	events := make([]Event, want.to-want.from+1)
	for i := range events {
		head := want.from + Seq(i)
		events[i] = Event{Group: id, Number: head, Change: &Change{GroupID: id, Head: head, Kind: ChangeMessage}}
	}
	group, err := r.Group(id)
	if err != nil {
		return nil, err
	}
	if at := group.Rev; want.holds(at) {
		events[at-want.from].Change = &Change{GroupID: id, Head: at, Kind: ChangeGroup, Group: group}
	}
	if err := missedMembers(r, id, want, events); err != nil {
		return nil, err
	}
	return events, missedMessages(r, group, want, events)
}

func missedMembers(r Reader, id GroupID, want span, events []Event) error {
	for since := want.from - 1; ; {
		members, err := r.MembersAfter(id, since, missedPage)
		if err != nil {
			return err
		}
		for _, m := range members {
			if m.Rev > want.to {
				return nil
			}
			events[m.Rev-want.from].Change = &Change{GroupID: id, Head: m.Rev, Kind: ChangeMember, Member: m}
			since = m.Rev
		}
		if len(members) < missedPage {
			return nil
		}
	}
}

func missedMessages(r Reader, g *Group, want span, events []Event) error {
	for since := want.from - 1; ; {
		messages, err := r.MessagesAfter(g.ID, since, missedPage)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Rev > want.to {
				return nil
			}
			events[m.Rev-want.from] = MessageEvent(g, m)
			since = m.Rev
		}
		if len(messages) < missedPage {
			return nil
		}
	}
}

func missedByUser(r Reader, id UserID, want span) ([]Event, error) {
	events := make([]Event, want.to-want.from+1)
	for i := range events {
		head := want.from + Seq(i)
		events[i] = Event{User: id, Number: head, Me: &MeChange{Head: head}}
	}
	user, err := r.User(id)
	if err != nil {
		return nil, err
	}
	_, rev, err := r.UserCounter(id)
	if err != nil {
		return nil, err
	}
	if want.holds(rev) {
		events[rev-want.from] = UserEvent(user, rev)
	}
	settings, rev, err := r.Settings(id)
	if err != nil {
		return nil, err
	}
	if want.holds(rev) {
		events[rev-want.from] = SettingsEvent(id, settings, rev)
	}
	mine, err := r.Belongings(id, want.from-1)
	if err != nil {
		return nil, err
	}
	for _, b := range mine {
		if b.Membership.UserRev <= want.to {
			events[b.Membership.UserRev-want.from] = MembershipEvent(b.Group, b.Membership)
		}
	}
	requests, err := r.JoinRequestsOf(id, want.from-1)
	if err != nil {
		return nil, err
	}
	for _, q := range requests {
		if want.holds(q.UserRev) {
			events[q.UserRev-want.from] = JoinRequestEvent(q)
		}
	}
	blocks, err := r.Blocks(id, want.from-1)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if want.holds(b.UserRev) {
			events[b.UserRev-want.from] = BlockEvent(b)
		}
	}
	return events, nil
}
