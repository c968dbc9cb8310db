package chat

import (
	"context"
	"errors"
	"fmt"
)

// Report says that somebody finds a message wrong. It takes no number: only who administers sees it.
type Report struct {
	GroupID   GroupID
	Seq       Seq
	By        UserID
	Reason    string
	CreatedAt Time

	// The message as it was then: a recall does not take it back from who has to judge it. It is forgotten when the report
	// is resolved.
	Author   UserID
	NickName string
	Text     string

	ResolvedAt Time   // 0: open
	ResolvedBy UserID // of it
}

// ReportTx keeps reports of messages of a group.
type ReportTx interface {
	// PutReport keeps a report; one of the same user on the same message stays as it is. A reporter without a row is
	// ErrNotFound.
	PutReport(*Report) error
	// ResolveReports ends all open reports on a message, forgets what it said, and says how many there were.
	ResolveReports(seq Seq, by UserID, at Time) (int, error)
}

// ReportReader finds open reports.
type ReportReader interface {
	// Reports are the open ones of a group or, with "", of all, the newest first, at most limit.
	Reports(g GroupID, limit int) ([]*Report, error)
	// ResolvedReports are those of all groups that are not open any more, resolved last first, at most limit.
	ResolvedReports(limit int) ([]*Report, error)
}

// Reported is a message with the open reports on it.
type Reported struct {
	GroupID  GroupID     `json:"groupId"`
	Seq      Seq         `json:"seq"`
	UserID   UserID      `json:"userId"` // who said it
	NickName string      `json:"nickName"`
	Text     string      `json:"message"` // as it was when it was reported first
	Reports  []Complaint `json:"reports"` // the newest first

	// For the administrators of the server alone.
	ResolvedAt Time    `json:"resolvedAt,omitempty"`
	ResolvedBy UserID  `json:"resolvedBy,omitempty"`
	Recalled   bool    `json:"recalled,omitempty"` // the message is, by now
	Author     *Member `json:"author,omitempty"`   // who said it, as it is in the group now
}

// Complaint is one report on a message.
type Complaint struct {
	Reason    string `json:"reason"`
	UserID    UserID `json:"userId,omitempty"` // who reports: for the administrators of the server alone
	CreatedAt Time   `json:"createdAt"`
}

const (
	maxComplaint = 500 // code points
	maxReports   = 200 // listed at once
)

// Report tells who administers a group that a message is wrong.
func (s *Service) Report(ctx context.Context, who *User, id GroupID, seq Seq, reason string) error {
	if err := checkText(reason, maxComplaint); err != nil {
		return err
	}
	return s.act(ctx, who, id, ActReport, func(d *deed) error {
		m, err := d.tx.Message(seq)
		switch {
		case errors.Is(err, ErrNotFound), err == nil && !d.maySee(m):
			return refuseReported()
		case err != nil:
			return fmt.Errorf("read a message: %w", err)
		}
		err = d.tx.PutReport(&Report{
			GroupID: id, Seq: seq, By: who.ID, Reason: reason, CreatedAt: s.now(), Author: m.UserID, NickName: m.NickName, Text: m.Text,
		})
		if errors.Is(err, ErrNotFound) { // a guest who never spoke
			return refuseGuestAct()
		}
		return err
	})
}

// maySee reports whether m is something that somebody said, and that is there for who acts to be read.
func (d *deed) maySee(m *Message) bool {
	return m.UserID != "" && m.Kind.Countable() && m.RecalledAt == 0 && (d.group.History == ExtentAll || m.Seq >= d.me.FromSeq)
}

// Reports lists the messages of a group that were reported, for who administers it. It does not say by whom: who is
// reported may be among those who read it.
func (s *Service) Reports(ctx context.Context, who *User, id GroupID) (list []*Reported, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		if _, _, err := s.within(r, who, id, ActModerate); err != nil {
			return err
		}
		reports, err := r.Reports(id, maxReports)
		list = gatherReports(reports, false)
		return err
	})
	if err != nil {
		return nil, refusal(err, "list reports")
	}
	return list, nil
}

// ServerReports lists the messages of all groups that were reported, by whom, and what became of message and author since;
// with resolved those that were judged, the last first, without what they said. Who asks has to be an administrator of the
// server: the caller sees to it.
func (s *Service) ServerReports(ctx context.Context, resolved bool) (list []*Reported, named *Names, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		var reports []*Report
		if resolved {
			reports, err = r.ResolvedReports(maxReports)
		} else {
			reports, err = r.Reports("", maxReports)
		}
		if err != nil {
			return err
		}
		list, named = gatherReports(reports, true), newNames()
		for _, one := range list {
			if err := one.follow(r, named); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, refusal(err, "list reports")
	}
	return list, named, nil
}

// follow adds what became of a message and its author.
func (m *Reported) follow(r Reader, named *Names) error {
	users := []UserID{m.UserID, m.ResolvedBy}
	for _, c := range m.Reports {
		users = append(users, c.UserID)
	}
	if err := named.learn(r, m.GroupID, users...); err != nil {
		return err
	}
	row, err := r.Message(m.GroupID, m.Seq)
	switch {
	case errors.Is(err, ErrNotFound):
		m.Recalled = true // erased
	case err != nil:
		return err
	default:
		m.Recalled = row.RecalledAt != 0
	}
	author, err := orNone(r.Membership(m.GroupID, m.UserID))
	if author != nil {
		m.Author = &author.Member
	}
	return err
}

// gatherReports puts the reports on each message together, in the order of the newest.
func gatherReports(reports []*Report, named bool) []*Reported {
	list := []*Reported{}
	of := map[GroupID]map[Seq]*Reported{}
	for _, r := range reports {
		if of[r.GroupID] == nil {
			of[r.GroupID] = map[Seq]*Reported{}
		}
		m := of[r.GroupID][r.Seq]
		if m == nil {
			m = &Reported{GroupID: r.GroupID, Seq: r.Seq, UserID: r.Author, ResolvedAt: r.ResolvedAt, ResolvedBy: r.ResolvedBy}
			of[r.GroupID][r.Seq] = m
			list = append(list, m)
		}
		m.NickName, m.Text = r.NickName, r.Text // the oldest comes last
		c := Complaint{Reason: r.Reason, CreatedAt: r.CreatedAt}
		if named {
			c.UserID = r.By
		}
		m.Reports = append(m.Reports, c)
	}
	return list
}

// ResolveReports ends the reports on a message, whatever was done about it, for who administers the group.
func (s *Service) ResolveReports(ctx context.Context, who *User, id GroupID, seq Seq) error {
	return s.act(ctx, who, id, ActModerate, func(d *deed) error { return d.resolve(seq) })
}

// ResolveServerReports ends the reports on a message of any group. Who asks has to be an administrator of the server: the
// caller sees to it.
func (s *Service) ResolveServerReports(ctx context.Context, who *User, id GroupID, seq Seq) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	err := s.store.Change(ctx, id, func(tx GroupTx) error {
		d := &deed{Service: s, tx: tx, who: who, group: tx.Group()}
		return d.resolve(seq)
	})
	if errors.Is(err, ErrNotFound) {
		return refuseReported()
	}
	return refusal(err, "resolve reports")
}

func (d *deed) resolve(seq Seq) error {
	n, err := d.tx.ResolveReports(seq, d.who.ID, d.now())
	if err != nil {
		return err
	}
	if n == 0 {
		return refuseReported()
	}
	return d.audit("resolveReports", "", fmt.Sprint(seq))
}
