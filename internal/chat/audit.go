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
	// AuditOf are the entries with a number < before (0: no bound), of one group or, with "", of all and of none, newest
	// first, at most limit.
	AuditOf(g GroupID, before int64, limit int) ([]*AuditEntry, error)
}

// AuditQuery asks for a page of the audit, newest first.
type AuditQuery struct {
	Group  GroupID `json:"groupId"`
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
	return s.auditPage(ctx, in, func(r Reader) error {
		_, _, err := s.within(r, who, in.Group, ActAudit)
		return err
	})
}

// ServerAudit is a page of all that was done, or, with in.Group, of a group. Who asks has to be an administrator of the
// server: the caller sees to it.
func (s *Service) ServerAudit(ctx context.Context, in AuditQuery) (*AuditPage, error) {
	return s.auditPage(ctx, in, func(Reader) error { return nil })
}

func (s *Service) auditPage(ctx context.Context, in AuditQuery, may func(Reader) error) (page *AuditPage, err error) {
	if in.Limit < 0 || in.Limit > maxPage || in.Before < 0 {
		return nil, refusePage()
	}
	if in.Limit == 0 {
		in.Limit = pageSize
	}
	err = s.store.View(ctx, func(r Reader) error {
		if err := may(r); err != nil {
			return err
		}
		entries, err := r.AuditOf(in.Group, in.Before, in.Limit+1)
		if err != nil {
			return err
		}
		page = &AuditPage{Entries: entries[:min(in.Limit, len(entries))], More: len(entries) > in.Limit}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read the audit of %s", in.Group))
	}
	return page, nil
}
