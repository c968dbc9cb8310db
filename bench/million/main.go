// Million fills a chat with a million messages and says how long its pages take then: history, search, opening the app,
// and what there is to do with a group of a hundred thousand members. Data that is there already is used as it is.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"qun/internal/chat"
	"qun/internal/store"
)

func main() {
	var at store.Config
	var sizes sizes
	flag.StringVar(&at.Dir, "data", "", "folder of the data; made if it is not there")
	flag.StringVar(&at.URL, "database", "", "address of a PostgreSQL database, instead")
	flag.IntVar(&sizes.messages, "messages", 1_000_000, "messages, two fifths of them in one group")
	flag.IntVar(&sizes.groups, "groups", 200, "groups of the one whose pages are measured")
	flag.IntVar(&sizes.members, "members", 100_000, "members of one group")
	flag.Parse()
	if (at.Dir == "") == (at.URL == "") {
		log.Fatal("say -data or -database")
	}
	if err := run(context.Background(), at, sizes); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, at store.Config, sizes sizes) error {
	s, err := store.Open(ctx, at)
	if err != nil {
		return err
	}
	defer s.Close()
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	defer service.Close(ctx)
	h, err := furnish(ctx, s, service, sizes)
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %10s %10s\n", "", "median", "95 %")
	for _, m := range h.measures() {
		if err := m.take(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
	}
	return nil
}

// deaf is a Notifier that does nothing.
type deaf struct{}

func (deaf) Notify(chat.Event) {}

// measure is something that is done many times, after a few times that do not count.
type measure struct {
	what string
	do   func(ctx context.Context, n int) error
}

const (
	warmups = 5
	rounds  = 60
)

func (m measure) take(ctx context.Context) error {
	var took []time.Duration
	for n := range warmups + rounds {
		began := time.Now()
		if err := m.do(ctx, n); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	took = took[warmups:]
	slices.Sort(took)
	fmt.Printf("%-44s %7.2f ms %7.2f ms\n", m.what, ms(took[rounds/2]), ms(took[rounds*95/100]))
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// measures are what is measured.
func (h *house) measures() []measure {
	all := []measure{
		{fmt.Sprintf("open the app, %d groups", h.sizes.groups), func(ctx context.Context, _ int) error {
			_, err := h.service.Overview(ctx, h.reader)
			return err
		}},
		{"history, newest page", h.page(func(int) chat.HistoryQuery { return chat.HistoryQuery{} })},
		{"history, around any message", h.page(func(n int) chat.HistoryQuery {
			seq := h.any(n)
			return chat.HistoryQuery{Around: &seq}
		})},
		{"history, before any message", h.page(func(n int) chat.HistoryQuery {
			seq := h.any(n)
			return chat.HistoryQuery{Before: &seq}
		})},
	}
	for _, text := range []string{
		rareWord, someWord, oftenWord, chinese, "海", "mee", "kal", "zu", "the meeting", "meeting 上海", foreignWord, pastWord, nowhereWord,
	} {
		q := chat.SearchQuery{Text: text}
		all = append(all, measure{"search all mine: " + text, h.search(q)})
		q.Group = h.mine[0]
		all = append(all, measure{"search the large group: " + text, h.search(q)})
		q.Group = h.mine[1]
		all = append(all, measure{"search a small group: " + text, h.search(q)})
	}
	return append(all,
		measure{"search all mine, by one: meeting", h.search(chat.SearchQuery{Text: someWord, From: h.speakers[1].ID})},
		measure{"search all mine, next pages: meeting", h.searchOn(someWord)},
		measure{"search all mine, next pages: quokka", h.searchOn(rareWord)},
		measure{"send to a small group", h.send(h.mine[1])},
		measure{fmt.Sprintf("send to %d members", h.sizes.members), h.send(h.crowd)},
		measure{"open that group", func(ctx context.Context, _ int) error {
			_, err := h.service.Snapshot(ctx, h.reader, h.crowd)
			return err
		}},
		measure{"its members, first page", h.members("")},
		measure{"its members, next pages", h.membersOn()},
		measure{"its members by name", h.members("member777")},
		measure{"its members by a letter", h.members("m")},
		measure{"who has read its announcement", func(ctx context.Context, _ int) error {
			a, err := h.service.Announcement(ctx, h.reader, h.crowd)
			if err == nil && a.Read < a.Of/2 {
				err = fmt.Errorf("%d of %d have read it", a.Read, a.Of)
			}
			return err
		}},
	)
}

// any is some message of the large group.
func (h *house) any(n int) chat.Seq { return chat.Seq(1 + n*7919%(h.sizes.messages*2/5)) }

func (h *house) page(q func(n int) chat.HistoryQuery) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		in := q(n)
		in.Group = h.mine[0]
		_, err := h.service.History(ctx, h.reader, in)
		return err
	}
}

func (h *house) search(q chat.SearchQuery) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		_, err := h.service.Search(ctx, h.reader, q)
		return err
	}
}

// searchOn asks for one page after the other, and begins again behind the last.
func (h *house) searchOn(text string) func(context.Context, int) error {
	q := chat.SearchQuery{Text: text}
	return func(ctx context.Context, _ int) error {
		found, err := h.service.Search(ctx, h.reader, q)
		if err == nil {
			q.Before = found.Before
		}
		return err
	}
}

func (h *house) send(to chat.GroupID) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		_, err := h.service.SendMessage(ctx, h.reader, chat.NewMessage{Group: to, Text: "hello, everybody"})
		return err
	}
}

func (h *house) membersOn() func(context.Context, int) error {
	q := chat.MemberQuery{Group: h.crowd}
	return func(ctx context.Context, _ int) error {
		page, err := h.service.Members(ctx, h.reader, q)
		if err == nil {
			q.Cursor = page.Cursor
		}
		return err
	}
}

func (h *house) members(search string) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		page, err := h.service.Members(ctx, h.reader, chat.MemberQuery{Group: h.crowd, Search: search})
		if err == nil && len(page.Members) == 0 {
			err = fmt.Errorf("nobody was found by %q", strings.ToUpper(search))
		}
		return err
	}
}
