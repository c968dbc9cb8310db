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
	flag.IntVar(&sizes.messages, "messages", 1_000_000, "messages, half of them in one group")
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
		{"open the app, 200 groups", func(ctx context.Context, _ int) error {
			_, err := h.service.Overview(ctx, h.reader)
			return err
		}},
		{"history, newest page", h.page(func(int) chat.HistoryQuery { return chat.HistoryQuery{} })},
		{"history, around any message", h.page(func(n int) chat.HistoryQuery {
			seq := chat.Seq(1 + n*7919%h.sizes.messages/2)
			return chat.HistoryQuery{Around: &seq}
		})},
	}
	for _, word := range []string{rareWord, someWord, oftenWord, "上海", "海", "nowhere"} {
		all = append(all,
			measure{"search the large group: " + word, h.search(word, h.large)},
			measure{"search all mine: " + word, h.search(word, "")})
	}
	return append(all,
		measure{"send to 100,000 members", func(ctx context.Context, _ int) error {
			_, err := h.service.SendMessage(ctx, h.reader, chat.NewMessage{Group: h.crowd, Text: "hello, everybody"})
			return err
		}},
		measure{"open a group of 100,000", func(ctx context.Context, _ int) error {
			_, err := h.service.Snapshot(ctx, h.reader, h.crowd)
			return err
		}},
		measure{"members of it, first page", h.members("")},
		measure{"members of it by name", h.members("member777")},
	)
}

func (h *house) page(q func(n int) chat.HistoryQuery) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		in := q(n)
		in.Group = h.large
		_, err := h.service.History(ctx, h.reader, in)
		return err
	}
}

func (h *house) search(text string, group chat.GroupID) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		found, err := h.service.Search(ctx, h.reader, chat.SearchQuery{Text: text, Group: group})
		if err == nil && (len(found.Hits) == 0) != (text == "nowhere") {
			err = fmt.Errorf("%d hits", len(found.Hits))
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
