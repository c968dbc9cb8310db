package chat

import (
	"context"
	"fmt"
	"slices"
)

const (
	// maxWaitingToJoin bounds the join requests of a group that wait.
	maxWaitingToJoin = 1000
	// maxReason bounds what a join request says, in code points.
	maxReason = 200
)

// RequestState says what became of a wish to join.
type RequestState string

const (
	RequestWaiting   RequestState = "waiting"
	RequestApproved  RequestState = "approved"
	RequestRejected  RequestState = "rejected"
	RequestWithdrawn RequestState = "withdrawn"
)

// JoinRequest is the wish of a user to be in a group. There is one at a time.
type JoinRequest struct {
	Group   GroupID      `json:"groupId"`
	User    *User        `json:"user"`
	State   RequestState `json:"state"`
	Text    string       `json:"text,omitempty"`
	AskedAt Time         `json:"askedAt"`
	UserRev Seq          `json:"-"` // of the user's own counter
}

// Pending is a JoinRequest as its own user hears of it.
type Pending struct {
	Group   GroupID      `json:"groupId"`
	State   RequestState `json:"state"`
	AskedAt Time         `json:"askedAt"`
}

// JoinRequestReader finds join requests.
type JoinRequestReader interface {
	// JoinRequests are those of a group that wait, asked after the user after at the time since ("" and 0: the first), oldest
	// first, at most limit.
	JoinRequests(g GroupID, since Time, after UserID, limit int) ([]*JoinRequest, error)
	// JoinRequestsOf are a user's own that changed after since, in order of UserRev, but those of groups that are gone.
	JoinRequestsOf(u UserID, since Seq) ([]*JoinRequest, error)
}

// JoinRequestTx changes the join requests of a group. They take no number of it: not every member sees them.
type JoinRequestTx interface {
	JoinRequest(UserID) (*JoinRequest, error)
	// PutJoinRequest stores a request, under the next number of its user's own counter, and counts those that wait.
	PutJoinRequest(*JoinRequest) error
}

// JoinRequestEvent is what a request's newest number tells its user.
func JoinRequestEvent(q *JoinRequest) Event {
	return Event{User: q.User.ID, Number: q.UserRev, Me: &MeChange{Head: q.UserRev, Pending: q.pending()}}
}

func (q *JoinRequest) pending() *Pending { return &Pending{q.Group, q.State, q.AskedAt} }

// orNoRequest makes a request that is not there, or does not wait, nil.
func orNoRequest(q *JoinRequest, err error) (*JoinRequest, error) {
	if isNotFound(err) || err == nil && q.State != RequestWaiting {
		return nil, nil
	}
	return q, err
}

// JoinRequestPage is a page of who waits, who asked first first.
type JoinRequestPage struct {
	Requests []*JoinRequest `json:"requests"`
	Cursor   string         `json:"cursor,omitempty"` // ask again with it
}

// JoinRequests is a page of who waits to be let into a group.
func (s *Service) JoinRequests(ctx context.Context, who *User, g GroupID, cursor string) (page *JoinRequestPage, err error) {
	var after struct {
		At   Time
		User UserID
	}
	if err := readCursor(cursor, &after); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(r Reader) error {
		if _, _, err := s.within(r, who, g, ActApprove); err != nil {
			return err
		}
		list, err := r.JoinRequests(g, after.At, after.User, maxPage+1)
		if err != nil {
			return err
		}
		page = &JoinRequestPage{Requests: list[:min(maxPage, len(list))]}
		if len(list) > maxPage {
			last := page.Requests[maxPage-1]
			after.At, after.User = last.AskedAt, last.User.ID
			page.Cursor = writeCursor(after)
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("list join requests of %s", g))
	}
	return page, nil
}

// Approve lets somebody in who waits, or, with on false, says no. The outcome comes to the user by its own counter.
func (s *Service) Approve(ctx context.Context, who *User, g GroupID, u UserID, on bool) error {
	err := s.store.View(ctx, func(r Reader) error {
		if _, _, err := s.within(r, who, g, ActApprove); err != nil || !on {
			return err
		}
		return s.roomForOneMore(r, u)
	})
	if err != nil {
		return refusal(err, "read who shall be let in")
	}
	return s.act(ctx, who, g, ActApprove, func(d *deed) error {
		q, err := orNoRequest(d.tx.JoinRequest(u))
		switch {
		case err != nil:
			return err
		case q == nil:
			return refuseJoinRequest()
		case !on:
			q.State = RequestRejected
			if err := d.settle(d.tx, q); err != nil {
				return err
			}
			return d.audit("reject", u, "")
		case d.full():
			return refuseFull()
		}
		if err := d.join(d.tx, q.User, RoleMember); err != nil {
			return err
		}
		return d.audit("approve", u, "")
	})
}

// ask makes who wait to be let in, and tells those who decide. Who waits already goes on waiting.
func (s *Service) ask(tx GroupTx, who *User, text string) error {
	q, err := orNoRequest(tx.JoinRequest(who.ID))
	if err != nil || q != nil {
		return err
	}
	g := tx.Group()
	if g.Requests >= maxWaitingToJoin {
		return refuseJoinRequests()
	}
	return s.settle(tx, &JoinRequest{Group: g.ID, User: who, State: RequestWaiting, Text: text, AskedAt: s.now()})
}

// waitsFor reports whether who waits to be let into a group.
func (s *Service) waitsFor(ctx context.Context, who *User, g GroupID) (waits bool, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		mine, err := r.JoinRequestsOf(who.ID, 0)
		waits = slices.ContainsFunc(mine, func(q *JoinRequest) bool { return q.Group == g && q.State == RequestWaiting })
		return err
	})
	if err != nil {
		return false, refusal(err, "look for a join request")
	}
	return waits, nil
}

// Withdraw takes a user's wish to join a group back. Where there is none it does nothing.
func (s *Service) Withdraw(ctx context.Context, who *User, g GroupID) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	err := s.store.Change(ctx, g, func(tx GroupTx) error {
		q, err := orNoRequest(tx.JoinRequest(who.ID))
		if err != nil || q == nil {
			return err
		}
		q.State = RequestWithdrawn
		return s.settle(tx, q)
	})
	if isNotFound(err) {
		return nil
	}
	return refusal(err, "withdraw a join request")
}

// settle stores a request, and tells those who decide how many wait now.
func (s *Service) settle(tx GroupTx, q *JoinRequest) error {
	if err := tx.PutJoinRequest(q); err != nil {
		return err
	}
	staff, err := tx.Staff()
	if err != nil {
		return err
	}
	for _, m := range staff {
		if err := tx.PutPrivate(m); err != nil {
			return err
		}
	}
	return nil
}
