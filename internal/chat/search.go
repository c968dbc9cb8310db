package chat

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"qun/internal/words"
)

// maxSearch is how many hits a page has, at most and when nobody says.
const maxSearch = 50

// SearchReader finds messages by their words.
type SearchReader interface {
	// Search are the newest messages of a group that hold what is looked for, newest first. What was acknowledged is found
	// at once, as it is now; what was recalled is never found.
	Search(Search) ([]*Message, error)
	// Holding leaves out of groups those in which the words of s are nowhere; it may leave some of these in.
	Holding(s Search, groups []GroupID) ([]GroupID, error)
}

// Search is what a store looks for in one group.
type Search struct {
	Group  GroupID
	Words  words.Query
	From   UserID // who sent it; "": anybody
	First  Seq    // nothing before it
	Before Seq    // and nothing from it on; 0: no bound
	Limit  int
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
	from, err := readSearchCursor(in.Before)
	if err != nil {
		return nil, err
	}
	if wait := s.searches.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	if in.Limit == 0 {
		in.Limit = maxSearch
	}
	var page *Found
	err = s.store.View(ctx, func(r Reader) error {
		places, err := s.searchable(r, who, in.Group)
		if err != nil {
			return err
		}
		q := searching{r: r, in: &in, words: words.Parse(in.Text), from: from, places: places}
		if page, err = q.page(); err != nil {
			return err
		}
		for i, hit := range page.Hits {
			if page.Hits[i].Message, err = markOne(r, who.ID, hit.Message); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, "search")
	}
	return page, nil
}

// searchable are the places where who may look.
func (s *Service) searchable(r Reader, who *User, id GroupID) ([]*place, error) {
	if id == "" {
		return s.allSearchable(r, who)
	}
	group, m, err := s.readable(r, who, id)
	if err != nil {
		return nil, err
	}
	return []*place{{group: id, first: firstSeq(group, m)}}, nil
}

// allSearchable are all groups who is in, those first in which something was said last.
func (s *Service) allSearchable(r Reader, who *User) ([]*place, error) {
	mine, err := r.Belongings(who.ID, 0)
	if err != nil {
		return nil, err
	}
	last, err := r.LastMessages(who.ID)
	if err != nil {
		return nil, err
	}
	var places []*place
	for _, b := range mine {
		m := last[b.Group.ID]
		if b.holds() && m != nil && s.mayRead(b.Group, b.Membership, who) == nil {
			places = append(places, &place{group: b.Group.ID, first: firstSeq(b.Group, b.Membership), latest: m.SentAt})
		}
	}
	return places, nil
}

// place is a group on the way of a search. Its hits come in the order of the group's numbers.
type place struct {
	group  GroupID
	first  Seq
	latest Time // of the next hit; before the store was asked, of the newest message

	asked bool
	hits  []*Message // not taken yet
	below Seq        // of the last hit brought: what is before it was not asked for
	ended bool       // nothing is before it
}

func (p *place) take() {
	p.hits = p.hits[1:]
	if len(p.hits) > 0 {
		p.latest = p.hits[0].SentAt
	}
}

// askedBlindly is how many groups are searched before it is found out in which of the others there is something at all.
const askedBlindly = 8

// searching is one page of a search on its way.
type searching struct {
	r      Reader
	in     *SearchQuery
	words  words.Query
	from   *searchCursor
	places []*place
	asked  int
}

// page takes hits of all places, newest first. It asks no place whose newest message is older than a full page.
func (q *searching) page() (*Found, error) {
	page := &Found{Hits: []Hit{}}
	q.places = slices.DeleteFunc(q.places, func(p *place) bool { return q.from.Places[p.group] == 1 })
	for {
		p, err := q.next()
		if err != nil || p == nil {
			return page, err
		}
		if len(page.Hits) == q.in.Limit {
			page.Before = q.cursor(max(p.latest, page.Hits[q.in.Limit-1].Message.SentAt))
			return page, nil
		}
		marks, _ := q.words.Find(p.hits[0].Text)
		page.Hits = append(page.Hits, Hit{p.hits[0], marks})
		p.take()
	}
}

// next is the place of the newest hit that was not taken; nil if there is none.
func (q *searching) next() (*place, error) {
	for len(q.places) > 0 {
		p := slices.MaxFunc(q.places, func(a, b *place) int {
			return cmp.Or(cmp.Compare(a.latest, b.latest), strings.Compare(string(a.group), string(b.group)))
		})
		switch {
		case !p.asked:
			if err := q.ask(p); err != nil {
				return nil, err
			}
		case len(p.hits) == 0 && !p.ended:
			if err := q.ask(p); err != nil {
				return nil, err
			}
		case len(p.hits) == 0:
			q.from.Places[p.group] = 1 // nothing is before it
			q.places = slices.DeleteFunc(q.places, func(other *place) bool { return other == p })
		default:
			return p, nil
		}
	}
	return nil, nil
}

// askedAtOnce is how many hits are asked for of one of many groups: few of them will be on the page.
const askedAtOnce = 8

// ask brings the next hits of p.
func (q *searching) ask(p *place) error {
	search := Search{
		Group: p.group, Words: q.words, From: q.in.From, First: p.first, Before: p.below, Limit: q.in.Limit + 1,
	}
	known := q.from.Places[p.group] != 0
	if !p.asked {
		search.Before = q.from.Places[p.group]
	}
	if len(q.places) > 1 {
		search.Limit = min(search.Limit, askedAtOnce)
	}
	for len(p.hits) == 0 && !p.ended {
		found, err := q.r.Search(search)
		if err != nil {
			return err
		}
		for _, m := range found {
			search.Before, p.below = m.Seq, m.Seq
			if known || q.from.Until == 0 || m.SentAt <= q.from.Until { // else it came after the page before
				p.hits = append(p.hits, m)
			}
		}
		p.ended = len(found) < search.Limit
	}
	if len(p.hits) > 0 {
		p.latest = p.hits[0].SentAt
	}
	if !p.asked {
		p.asked = true
		q.asked++
	}
	if q.asked == askedBlindly {
		q.asked++
		return q.narrow()
	}
	return nil
}

// narrow leaves out the places in which there is nothing.
func (q *searching) narrow() error {
	var open []GroupID
	for _, p := range q.places {
		if !p.asked {
			open = append(open, p.group)
		}
	}
	holding, err := q.r.Holding(Search{Words: q.words, From: q.in.From}, open)
	if err != nil {
		return err
	}
	q.places = slices.DeleteFunc(q.places, func(p *place) bool { return !p.asked && !slices.Contains(holding, p.group) })
	return nil
}

// searchCursor is where a page ended: in the groups that were asked, and in time, for those that were not.
type searchCursor struct {
	Until  Time            `json:"t"`
	Places map[GroupID]Seq `json:"g"` // nothing from this seq on
}

func readSearchCursor(text string) (*searchCursor, error) {
	c := &searchCursor{Places: map[GroupID]Seq{}}
	if err := readCursor(text, c); err != nil || c.Places == nil {
		return nil, refuseCursor()
	}
	return c, nil
}

// cursor ends a page after which the next hit is not later than until.
func (q *searching) cursor(until Time) string {
	q.from.Until = until
	for _, p := range q.places {
		switch {
		case p.asked && len(p.hits) > 0:
			q.from.Places[p.group] = p.hits[0].Seq + 1
		case p.asked && p.ended:
			q.from.Places[p.group] = 1
		case p.asked:
			q.from.Places[p.group] = p.below
		}
	}
	return writeCursor(q.from)
}
