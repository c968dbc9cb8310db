package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
	"qun/internal/names"
	"qun/internal/store"
)

// sizes are how much of everything there is.
type sizes struct{ messages, groups, members int }

// house is a furnished chat.
type house struct {
	store   *store.Store
	service *chat.Service
	sizes   sizes
	reader  *chat.User   // whose pages are measured
	large   chat.GroupID // has half of all messages
	crowd   chat.GroupID // has the members
}

const (
	rareWord  = "quokka"  // in one of ten thousand messages
	someWord  = "meeting" // in one of a hundred
	oftenWord = "the"     // in one of five
)

// atOnce is how many write at the same time, so that they share commits.
const atOnce = 256

// furnish makes what is not there yet.
func furnish(ctx context.Context, s *store.Store, service *chat.Service, sizes sizes) (*house, error) {
	h := &house{store: s, service: service, sizes: sizes}
	reader, err := h.member(ctx, "reader")
	if err != nil {
		return nil, err
	}
	h.reader = reader
	rooms := make([]chat.GroupID, sizes.groups)
	for i := range rooms {
		if rooms[i], err = h.enter(ctx, reader, fmt.Sprint("room ", i)); err != nil {
			return nil, err
		}
	}
	h.large = rooms[0]
	if h.crowd, err = h.enter(ctx, reader, "crowd"); err != nil {
		return nil, err
	}
	large, err := service.Group(ctx, reader, h.large)
	if err != nil {
		return nil, err
	}
	crowd, err := service.Group(ctx, reader, h.crowd)
	if err != nil {
		return nil, err
	}
	if large.Head < 1000 {
		err = h.timed("messages", sizes.messages, func(n int) error { return h.say(ctx, rooms, n) })
	}
	if had := crowd.MemberCount; err == nil && had < sizes.members {
		err = h.timed("members", sizes.members-had, func(n int) error { return h.join(ctx, had+n) })
	}
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = s.SettleIndex(ctx)
	log.Printf("the index was in step %.1f s later", time.Since(began).Seconds())
	return h, err
}

// timed does n things, many at once, and says how long that took.
func (h *house) timed(what string, n int, do func(int) error) error {
	began := time.Now()
	var next atomic.Int64
	var busy sync.WaitGroup
	failed := make(chan error, atOnce)
	for range atOnce {
		busy.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	busy.Wait()
	log.Printf("%d %s in %.1f s", n, what, time.Since(began).Seconds())
	close(failed)
	return <-failed
}

// member makes a member, or finds it.
func (h *house) member(ctx context.Context, name string) (*chat.User, error) {
	u, err := h.service.CreateMember(ctx, chat.NewMember{Username: name})
	var refused *chat.Error
	if errors.As(err, &refused) && refused.Code == chat.CodeNameTaken {
		return h.named(ctx, name)
	}
	return u, err
}

func (h *house) named(ctx context.Context, name string) (u *chat.User, err error) {
	err = h.store.View(ctx, func(r chat.Reader) error {
		id, err := r.NameOwner(names.Skeleton(name))
		if err != nil {
			return err
		}
		u, err = r.User(id)
		return err
	})
	return u, err
}

func (h *house) enter(ctx context.Context, u *chat.User, room string) (chat.GroupID, error) {
	entered, err := h.service.Enter(ctx, u, chat.Entry{Room: room})
	if err != nil {
		return "", err
	}
	return entered.Group.ID, nil
}

func (h *house) say(ctx context.Context, rooms []chat.GroupID, n int) error {
	group := rooms[0]
	if n%2 == 1 {
		group = rooms[1+n/2%(len(rooms)-1)]
	}
	_, err := h.service.SendMessage(ctx, h.reader, chat.NewMessage{Group: group, Text: text(n)})
	return err
}

func (h *house) join(ctx context.Context, n int) error {
	u, err := h.member(ctx, fmt.Sprint("member", n))
	if err != nil {
		return err
	}
	_, err = h.service.Enter(ctx, u, chat.Entry{Group: h.crowd})
	return err
}

// text is a message of a dozen words, English or Chinese, as frequent as words are.
func text(n int) string {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	words := make([]string, 0, 16)
	for range 8 + random.IntN(6) {
		words = append(words, vocabulary[int(float64(len(vocabulary))*skew(random))])
	}
	space := " "
	if n%4 == 3 {
		space = ""
		for i := range words {
			words[i] = hanzi(random)
		}
	}
	for word, every := range map[string]int{rareWord: 10_000, someWord: 100, oftenWord: 5, "上海": 200} {
		if random.IntN(every) == 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, space)
}

// skew is a number from 0 to 1 that is mostly small.
func skew(random *rand.Rand) float64 {
	x := random.Float64()
	return x * x * x
}

// hanzi are two characters.
func hanzi(random *rand.Rand) string {
	return string([]rune{'一' + rune(3000*skew(random)), '一' + rune(3000*skew(random))})
}

// vocabulary is twenty thousand words that nobody ever said.
var vocabulary = func() []string {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]string, 20_000)
	for i := range all {
		word := make([]byte, 0, 10)
		for range 1 + random.IntN(4) {
			word = append(word, "bcdfghklmnprstvwz"[random.IntN(17)], "aeiou"[random.IntN(5)])
		}
		all[i] = string(word)
	}
	return all
}()
