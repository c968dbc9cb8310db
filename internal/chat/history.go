package chat

import (
	"context"
	"fmt"
	"slices"
)

const (
	// pageSize is how many messages a page has when nobody says.
	pageSize = 50
	// maxPage is how many it may have.
	maxPage = 100
)

// HistoryQuery asks for one page: before or after a seq (without it), around one, or, with none of them, the newest.
type HistoryQuery struct {
	Group  GroupID `json:"groupId"`
	Before *Seq    `json:"before,omitempty"`
	After  *Seq    `json:"after,omitempty"` // 0 is a good question: from the beginning
	Around *Seq    `json:"around,omitempty"`
	Limit  int     `json:"limit,omitempty"` // 1–100; 0: 50
}

// History is a page, oldest first.
type History struct {
	Head     Seq        `json:"head"`
	Messages []*Message `json:"messages"`
	Before   bool       `json:"before"` // there is more before these
	After    bool       `json:"after"`  // there is more after these
}

func (in *HistoryQuery) validate() error {
	asked := 0
	for _, seq := range []*Seq{in.Before, in.After, in.Around} {
		if seq != nil {
			asked++
		}
	}
	if asked > 1 || in.Limit < 0 || in.Limit > maxPage {
		return refusePage()
	}
	return nil
}

// History is a page of a group's messages, of one moment.
func (s *Service) History(ctx context.Context, who *User, in HistoryQuery) (*History, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	if in.Limit == 0 {
		in.Limit = pageSize
	}
	var page *History
	err := s.store.View(ctx, func(r Reader) error {
		group, m, err := s.readable(r, who, in.Group)
		if err != nil {
			return err
		}
		if page, err = readPage(visibleTo(r, group, m), in); err != nil {
			return err
		}
		page.Head = group.Head
		return mark(r, who.ID, page.Messages)
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read history of %s", in.Group))
	}
	return page, nil
}

func readPage(r MessageReader, in HistoryQuery) (*History, error) {
	switch {
	case in.Around != nil:
		return pageAround(r, in.Group, *in.Around, in.Limit)
	case in.After != nil:
		return pageAfter(r, in.Group, *in.After, in.Limit)
	case in.Before != nil:
		return pageBefore(r, in.Group, *in.Before, in.Limit)
	}
	return newestPage(r, in.Group, in.Limit)
}

// newestPage is the end of the history.
func newestPage(r MessageReader, g GroupID, limit int) (*History, error) {
	rows, err := r.Newest(g, 0, limit+1)
	if err != nil {
		return nil, err
	}
	page := &History{Messages: rows[:min(limit, len(rows))], Before: len(rows) > limit}
	slices.Reverse(page.Messages)
	return page, nil
}

func pageBefore(r MessageReader, g GroupID, seq Seq, limit int) (*History, error) {
	if seq <= 0 { // nothing is before the beginning
		return pageAfter(r, g, 0, 0)
	}
	rows, err := r.Newest(g, seq, limit+1)
	if err != nil {
		return nil, err
	}
	later, err := r.Oldest(g, seq-1, 1)
	if err != nil {
		return nil, err
	}
	page := &History{Messages: rows[:min(limit, len(rows))], Before: len(rows) > limit, After: len(later) > 0}
	slices.Reverse(page.Messages)
	return page, nil
}

func pageAfter(r MessageReader, g GroupID, seq Seq, limit int) (*History, error) {
	rows, err := r.Oldest(g, seq, limit+1)
	if err != nil {
		return nil, err
	}
	earlier := []*Message{}
	if seq > 0 {
		earlier, err = r.Newest(g, seq+1, 1)
	}
	if err != nil {
		return nil, err
	}
	return &History{Messages: rows[:min(limit, len(rows))], Before: len(earlier) > 0, After: len(rows) > limit}, nil
}

// pageAround has the message nearest to seq in its middle; the earlier one of two equally near. Where one side is short
// the other fills the page.
func pageAround(r MessageReader, g GroupID, seq Seq, limit int) (*History, error) {
	seq = max(seq, 0)
	earlier, err := r.Newest(g, seq+1, limit+1) // seq itself included
	if err != nil {
		return nil, err
	}
	later, err := r.Oldest(g, seq, limit+1)
	if err != nil {
		return nil, err
	}
	slices.Reverse(earlier)
	all := append(earlier, later...)
	middle := len(earlier) - 1
	if len(earlier) == 0 || len(later) > 0 && later[0].Seq-seq < seq-earlier[middle].Seq {
		middle++
	}
	from := max(0, min(middle-limit/2, len(all)-limit))
	to := min(len(all), from+limit)
	return &History{Messages: all[from:to], Before: from > 0, After: to < len(all)}, nil
}
