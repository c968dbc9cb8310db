package chat

import (
	"context"
	"fmt"
)

// AuditEntry says who used a power, when, and on whom. Entries are added and never change.
type AuditEntry struct {
	Number int64   `json:"number"` // of the entry, to page by
	At     Time    `json:"at"`
	Act    string  `json:"act"` // as in a system line, or the name of the request
	By     UserID  `json:"by,omitempty"`
	Group  GroupID `json:"groupId,omitempty"`
	Target UserID  `json:"target,omitempty"`
	Value  string  `json:"value,omitempty"`
}

// AuditTx adds to the audit, in the transaction of the act itself.
type AuditTx interface {
	Audit(*AuditEntry) error
}

// AuditReader reads the audit.
type AuditReader interface {
	// AuditOf are the entries that a query asks for, newest first, at most its Limit.
	AuditOf(AuditQuery) ([]*AuditEntry, error)
}

// AuditQuery asks for a page of the audit, newest first. What is left out does not narrow it.
type AuditQuery struct {
	Group  GroupID `json:"groupId"`
	By     UserID  `json:"by,omitempty"`
	Act    string  `json:"act,omitempty"`
	Target UserID  `json:"target,omitempty"`
	Since  Time    `json:"since,omitempty"`
	Until  Time    `json:"until,omitempty"`  // before it
	Before int64   `json:"before,omitempty"` // a Number; 0: the newest
	Limit  int     `json:"limit,omitempty"`  // 1–100; 0: 50
}

// AuditPage is a page of the audit.
type AuditPage struct {
	Entries []*AuditEntry `json:"entries"`
	More    bool          `json:"more"`
}

// Audit is a page of what was done in a group, for its owner and its admins.
func (s *Service) Audit(ctx context.Context, who *User, in AuditQuery) (*AuditPage, error) {
	page, _, err := s.auditPage(ctx, in, func(r Reader) error {
		_, _, err := s.within(r, who, in.Group, ActAudit)
		return err
	})
	return page, err
}

// ServerAudit is a page of all that was done, or, with in.Group, of a group, and the names of whom it names. Who asks has to be an administrator of the
// server: the caller sees to it.
func (s *Service) ServerAudit(ctx context.Context, in AuditQuery) (*AuditPage, *Names, error) {
	return s.auditPage(ctx, in, func(Reader) error { return nil })
}

func (s *Service) auditPage(ctx context.Context, in AuditQuery, may func(Reader) error) (page *AuditPage, named *Names, err error) {
	if in.Limit < 0 || in.Limit > maxPage || in.Before < 0 {
		return nil, nil, refusePage()
	}
	if in.Limit == 0 {
		in.Limit = pageSize
	}
	err = s.store.View(ctx, func(r Reader) error {
		if err := may(r); err != nil {
			return err
		}
		more := in
		more.Limit++
		entries, err := r.AuditOf(more)
		if err != nil {
			return err
		}
		page = &AuditPage{Entries: entries[:min(in.Limit, len(entries))], More: len(entries) > in.Limit}
		named = newNames()
		for _, e := range page.Entries {
			if err := named.learn(r, e.Group, e.By, e.Target); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, refusal(err, fmt.Sprintf("read the audit of %s", in.Group))
	}
	return page, named, nil
}
