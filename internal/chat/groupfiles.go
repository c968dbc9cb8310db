package chat

import (
	"context"
	"fmt"
)

// GroupFileReader finds what was sent in a group.
type GroupFileReader interface {
	// MessagesWithFiles are the newest messages of a group with first ≤ seq < before (0: no bound) that carry a picture, or
	// something that is none, newest first, at most limit.
	MessagesWithFiles(g GroupID, pictures bool, first, before Seq, limit int) ([]*Message, error)
}

// FileQuery asks for a page of the messages of a group that carry files, the newest first.
type FileQuery struct {
	Group    GroupID `json:"groupId"`
	Pictures bool    `json:"pictures,omitempty"` // those with pictures; else those with anything else
	Before   Seq     `json:"before,omitempty"`   // older than this one
	Limit    int     `json:"limit,omitempty"`    // 1–100; 0: 50
}

// FilePage is such a page.
type FilePage struct {
	Messages []*Message `json:"messages"` // newest first
	More     bool       `json:"more"`     // ask again with before: the last one's seq
}

// GroupFiles is a page of the files of a group, as far as who may read it.
func (s *Service) GroupFiles(ctx context.Context, who *User, in FileQuery) (page *FilePage, err error) {
	if in.Limit < 0 || in.Limit > maxPage || in.Before < 0 {
		return nil, refusePage()
	}
	limit := or(in.Limit, pageSize)
	err = s.store.View(ctx, func(r Reader) error {
		g, m, err := s.readable(r, who, in.Group)
		if err != nil {
			return err
		}
		rows, err := r.MessagesWithFiles(in.Group, in.Pictures, firstSeq(g, m), in.Before, limit+1)
		if err != nil {
			return err
		}
		page = &FilePage{Messages: rows[:min(limit, len(rows))], More: len(rows) > limit}
		return mark(r, who.ID, page.Messages)
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("list the files of %s", in.Group))
	}
	return page, nil
}
