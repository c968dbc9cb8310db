package chat

import (
	"context"
	"strings"
	"unicode/utf8"

	"qun/internal/words"
)

// maxSearch is how many hits a page has, at most and when nobody says.
const maxSearch = 50

// SearchReader finds messages by their words.
type SearchReader interface {
	// Searchable are the groups that a user is in, in no order, with nothing but what says whether and how far back they are
	// read: of a group its ID, Kind, Joining, History, Floor and Head, of a membership Role, State and FromSeq.
	Searchable(UserID) ([]Belonging, error)
	// Search is a page of the messages that hold what is looked for, newest first. What was acknowledged is found at once, as
	// it is now; what was recalled is never found. next is where to go on; nil: nothing is before the page. A page that took
	// long to fill may be short, or have nothing, and yet have a next.
	Search(Search) (page []*Message, next *SearchPlace, err error)
}

// Search is what a store looks for.
type Search struct {
	Where  []Searched // each group once
	Words  words.Query
	From   UserID       // who sent it; "": anybody
	Before *SearchPlace // nothing from there on; nil: no bound
	Limit  int
}

// Searched is a group that is searched.
type Searched struct {
	Group GroupID
	First Seq // nothing before it
}

// SearchPlace is a place in the order of what is found: by time, and of one moment by group and number.
type SearchPlace struct {
	At    Time    `json:"t"`
	Group GroupID `json:"g,omitempty"` // "": before all of that moment
	Seq   Seq     `json:"s,omitempty"`
}

// SearchQuery looks for words in the messages of a group, or of all of mine.
type SearchQuery struct {
	Text   string  `json:"text"`
	Group  GroupID `json:"groupId,omitempty"` // "": all of mine
	From   UserID  `json:"from,omitempty"`    // sent by this user
	Before string  `json:"before,omitempty"`  // of the page before this one
	Limit  int     `json:"limit,omitempty"`   // 1–50; 0: 50
}

// Found is a page of hits, newest first.
type Found struct {
	Hits   []Hit  `json:"hits"`
	Before string `json:"before,omitempty"` // asks for the next page; absent on the last
}

// Hit is a message with what was looked for.
type Hit struct {
	Message *Message     `json:"message"`
	Marks   []words.Mark `json:"marks"` // where, in code points of the text: from which one on, and how many
}

func (in *SearchQuery) validate(limits Limits) error {
	switch length := utf8.RuneCountInString(in.Text); {
	case !utf8.ValidString(in.Text) || strings.ContainsRune(in.Text, 0):
		return refuseSearchText()
	case strings.TrimSpace(in.Text) == "":
		return refuseEmptySearch()
	case limits.Search > 0 && length > limits.Search:
		return refuseLongSearch(limits.Search)
	case in.Limit < 0 || in.Limit > maxSearch:
		return refuseSearchPage()
	}
	return nil
}

// Search finds messages in a group that who may read, or in all groups who is in.
func (s *Service) Search(ctx context.Context, who *User, in SearchQuery) (*Found, error) {
	if err := in.validate(s.Limits()); err != nil {
		return nil, err
	}
	var before *SearchPlace
	if err := readCursor(in.Before, &before); err != nil {
		return nil, err
	}
	if wait := s.searches.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	if in.Limit == 0 {
		in.Limit = maxSearch
	}
	var page *Found
	err := s.store.View(ctx, func(r Reader) error {
		where, err := s.searchable(r, who, in.Group)
		if err != nil {
			return err
		}
		q := Search{Where: where, Words: words.Parse(in.Text), From: in.From, Before: before, Limit: in.Limit}
		found, next, err := r.Search(q)
		if err != nil {
			return err
		}
		if page, err = hits(r, who, q.Words, found); err == nil && next != nil {
			page.Before = writeCursor(next)
		}
		return err
	})
	if err != nil {
		return nil, refusal(err, "search")
	}
	return page, nil
}

// hits are messages as who sees them, with what was looked for.
func hits(r Reader, who *User, looked words.Query, found []*Message) (*Found, error) {
	page := &Found{Hits: make([]Hit, len(found))}
	for i, m := range found {
		seen, err := markOne(r, who.ID, m)
		if err != nil {
			return nil, err
		}
		marks, _ := looked.Find(m.Text)
		page.Hits[i] = Hit{seen, marks}
	}
	return page, nil
}

// searchable is where who may look: in a group, or in all who is in.
func (s *Service) searchable(r Reader, who *User, id GroupID) ([]Searched, error) {
	if id != "" {
		group, m, err := s.readable(r, who, id)
		if err != nil {
			return nil, err
		}
		return []Searched{{id, firstSeq(group, m)}}, nil
	}
	mine, err := r.Searchable(who.ID)
	if err != nil {
		return nil, err
	}
	var where []Searched
	for _, b := range mine {
		if s.mayRead(b.Group, b.Membership, who) == nil {
			where = append(where, Searched{b.Group.ID, firstSeq(b.Group, b.Membership)})
		}
	}
	return where, nil
}
