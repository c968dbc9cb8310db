package chat

import (
	"cmp"
	"context"
	"slices"
)

// OutboxStore keeps how far the world outside has been told. What is to be told is nowhere written a second time: it is
// the rows of the group with a number beyond Progress.Head. So whatever was committed is told, whatever was rolled back
// never was there, and a send costs the same with webhooks as without.
type OutboxStore interface {
	// ClaimWebhooks lends outgoing webhooks that have something to tell and are due, at most limit, until a time: nobody
	// else, here or on another node, is lent them meanwhile.
	ClaimWebhooks(ctx context.Context, now, until Time, limit int) ([]*Webhook, error)
	// SettleWebhook ends what was lent until that time, and keeps how far it came. A webhook that was changed meanwhile,
	// or lent anew, keeps what it has.
	SettleWebhook(ctx context.Context, w WebhookID, until Time, p Progress) error
}

// OutboxReader says what is to be told.
type OutboxReader interface {
	// WebhookGroups are the groups with an outgoing webhook that is on.
	WebhookGroups() ([]GroupID, error)
	// WebhooksDue is the earliest time at which a webhook with something to tell may be lent; ErrNotFound if there is none.
	WebhooksDue() (Time, error)
}

// EventsAfter are the pushes of a group after a number, in order, at most limit: each message at its seq and again, when it
// changed, at its rev; every other row at its rev. All rows are as they are now.
func EventsAfter(r Reader, id GroupID, after Seq, limit int) ([]Event, error) {
	said, err := r.Oldest(id, after, limit)
	if err != nil {
		return nil, err
	}
	changed, err := r.MessagesAfter(id, after, limit)
	if err != nil {
		return nil, err
	}
	members, err := r.MembersAfter(id, after, limit)
	if err != nil {
		return nil, err
	}
	group, err := r.Group(id)
	if err != nil {
		return nil, err
	}
	var events []Event
	for _, m := range said {
		events = append(events, Event{Group: id, Number: m.Seq, Message: m})
	}
	for _, m := range changed {
		if m.Rev > m.Seq {
			events = append(events, MessageEvent(group, m))
		}
	}
	for _, m := range members {
		events = append(events, MemberEvent(m))
	}
	if group.Rev > after {
		events = append(events, GroupEvent(group))
	}
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.Number, b.Number) })
	return events[:min(limit, len(events))], nil // beyond it each of the lists may lack some
}
