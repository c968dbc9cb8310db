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

// house is a furnished chat. Of its messages two fifths are in one group, two fifths in the other groups of the reader,
// alike in all of them, and a fifth in groups that the reader is not in.
type house struct {
	store    *store.Store
	service  *chat.Service
	sizes    sizes
	reader   *chat.User   // whose pages are measured
	speakers []*chat.User // who say everything, in turn
	mine     []chat.GroupID
	theirs   []chat.GroupID
	crowd    chat.GroupID // has the members
}

// speakers is how many speak.
const speakers = 8

// Words that are looked for, and how often they are said.
const (
	rareWord    = "quokka"   // in one of ten thousand messages
	someWord    = "meeting"  // in one of a hundred
	oftenWord   = "the"      // in one of five
	chinese     = "上海"       // in one of two hundred
	foreignWord = "overseas" // in one of three where the reader is not
	pastWord    = "formerly" // in one of three of the first twentieth
	nowhereWord = "nowhere"
)

// said is how often words are said: in one message of so many.
var said = []struct {
	word  string
	every int
}{{rareWord, 10_000}, {someWord, 100}, {oftenWord, 5}, {chinese, 200}}

// atOnce is how many write at the same time, so that they share commits.
const atOnce = 256

// furnish makes what is not there yet.
func furnish(ctx context.Context, s *store.Store, service *chat.Service, sizes sizes) (h *house, err error) {
	h = &house{store: s, service: service, sizes: sizes}
	if h.reader, err = h.member(ctx, "reader"); err != nil {
		return nil, err
	}
	if h.crowd, err = h.enter(ctx, "crowd", h.reader); err != nil {
		return nil, err
	}
	for i := range speakers {
		u, err := h.member(ctx, fmt.Sprint("speaker", i))
		if err != nil {
			return nil, err
		}
		h.speakers = append(h.speakers, u)
	}
	everybody := append([]*chat.User{h.reader}, h.speakers...)
	if h.mine, err = h.rooms(ctx, "room", sizes.groups, everybody); err != nil {
		return nil, err
	}
	if h.theirs, err = h.rooms(ctx, "elsewhere", sizes.groups/2, h.speakers); err != nil {
		return nil, err
	}
	if err := h.fill(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	err = s.SettleIndex(ctx)
	log.Printf("the index was in step %.1f s later", time.Since(began).Seconds())
	return h, err
}

// rooms are so many rooms with these people in them.
func (h *house) rooms(ctx context.Context, name string, n int, people []*chat.User) ([]chat.GroupID, error) {
	rooms := make([]chat.GroupID, n)
	for i := range rooms {
		for _, u := range people {
			id, err := h.enter(ctx, fmt.Sprint(name, " ", i), u)
			if err != nil {
				return nil, err
			}
			rooms[i] = id
		}
	}
	return rooms, nil
}

// fill says all messages, and brings the members in.
func (h *house) fill(ctx context.Context) error {
	large, err := h.service.Group(ctx, h.reader, h.mine[0])
	if err != nil {
		return err
	}
	if large.Head < 1000 {
		if err := h.timed("messages", h.sizes.messages, func(n int) error { return h.say(ctx, n) }); err != nil {
			return err
		}
	}
	crowd, err := h.service.Group(ctx, h.reader, h.crowd)
	if err != nil {
		return err
	}
	if crowd.Announced == 0 {
		text := "welcome"
		if _, err := h.service.UpdateGroup(ctx, h.reader, chat.GroupUpdate{Group: h.crowd, Announcement: &text}); err != nil {
			return err
		}
	}
	if had := crowd.MemberCount; had < h.sizes.members {
		return h.timed("members", h.sizes.members-had, func(n int) error { return h.join(ctx, had+n) })
	}
	return nil
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

func (h *house) enter(ctx context.Context, room string, u *chat.User) (chat.GroupID, error) {
	entered, err := h.service.Enter(ctx, u, chat.Entry{Room: room})
	if err != nil {
		return "", err
	}
	return entered.Group.ID, nil
}

func (h *house) say(ctx context.Context, n int) error {
	group, theirs := h.mine[0], false
	switch i := n / 5; n % 5 {
	case 0, 1:
		group = h.mine[1+(2*i+n%5)%(len(h.mine)-1)]
	case 2:
		group, theirs = h.theirs[i%len(h.theirs)], true
	}
	text := text(n)
	if n%3 == 0 && theirs {
		text += " " + foreignWord
	}
	if n%3 == 0 && n < h.sizes.messages/20 {
		text += " " + pastWord
	}
	_, err := h.service.SendMessage(ctx, h.speakers[n/7%speakers], chat.NewMessage{Group: group, Text: text})
	return err
}

// join makes a member and brings it into the crowd; most read what is announced there.
func (h *house) join(ctx context.Context, n int) error {
	u, err := h.member(ctx, fmt.Sprint("member", n))
	if err != nil {
		return err
	}
	if _, err := h.service.Enter(ctx, u, chat.Entry{Group: h.crowd}); err != nil || n%4 == 0 {
		return err
	}
	_, err = h.service.ReadAnnouncement(ctx, u, h.crowd)
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
	for _, s := range said {
		if random.IntN(s.every) == 0 {
			words = append(words, s.word)
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
