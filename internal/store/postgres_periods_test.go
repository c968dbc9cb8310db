package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"qun/internal/chat"
	"qun/internal/store"
)

// parted is a chat in PostgreSQL, with short periods, in which a member speaks in some rooms.
type parted struct {
	*testing.T
	url     string
	now     atomic.Int64 // in milliseconds; passes with every look at the clock
	store   *store.Store
	service *chat.Service
	alice   *chat.User
	rooms   []chat.GroupID
}

// periodLength is how many messages a short period has, more or less.
const periodLength = 64

func newParted(t *testing.T, cfg chat.Config) *parted {
	t.Helper()
	p := &parted{T: t, url: database(t)}
	p.now.Store(1_700_000_000_000)
	p.store, p.service = p.open(cfg)
	var err error
	if p.alice, err = p.service.CreateMember(t.Context(), chat.NewMember{Username: "alice"}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		entered, err := p.service.Enter(t.Context(), p.alice, chat.Entry{Room: fmt.Sprint("room ", i)})
		if err != nil {
			t.Fatal(err)
		}
		p.rooms = append(p.rooms, entered.Group.ID)
	}
	return p
}

func (p *parted) open(cfg chat.Config) (*store.Store, *chat.Service) {
	p.Helper()
	s := openPostgres(p, p.url)
	p.must(s.SettleIndex(p.Context()))
	s.LookAt(periodLength)
	cfg.Limits.MessageLength = 100
	cfg.Now = func() time.Time { return time.UnixMilli(p.now.Add(1)) }
	service := chat.New(s, deaf{}, cfg)
	p.Cleanup(func() { service.Close(context.Background()) })
	return s, service
}

func (p *parted) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// say sends messages, and waits for the index now and then.
func (p *parted) say(n int) {
	p.Helper()
	for i := range n {
		_, err := p.service.SendMessage(p.Context(), p.alice, chat.NewMessage{Group: p.rooms[i%len(p.rooms)], Text: fmt.Sprint("commonplace ", i)})
		p.must(err)
		if i%50 == 0 {
			p.must(p.store.SettleIndex(p.Context()))
		}
	}
	p.must(p.store.SettleIndex(p.Context()))
}

// wantFound looks through all pages of all rooms, and of one.
func (p *parted) wantFound(all int) {
	p.Helper()
	for group, want := range map[chat.GroupID]int{"": all, p.rooms[0]: (all + 2) / 3} {
		found := map[chat.MessageID]bool{}
		q := chat.SearchQuery{Text: "common", Group: group}
		for page := 0; page == 0 || q.Before != ""; page++ {
			some, err := p.service.Search(p.Context(), p.alice, q)
			p.must(err)
			for _, hit := range some.Hits {
				found[hit.Message.ID] = true
			}
			q.Before = some.Before
		}
		if len(found) != want {
			p.Errorf("found %d in %q, want %d", len(found), group, want)
		}
	}
	wantClean(p.T, store.Config{URL: p.url})
}

// periods is how many there are.
func (p *parted) periods() (n int) {
	p.Helper()
	conn, err := pgx.Connect(p.Context(), p.url)
	p.must(err)
	defer conn.Close(context.Background())
	p.must(conn.QueryRow(p.Context(), `SELECT COUNT(*) FROM periods`).Scan(&n))
	return n
}

func (p *parted) wantPeriods(least, most int) {
	p.Helper()
	if n := p.periods(); n < least || n > most {
		p.Errorf("there are %d periods, want %d to %d", n, least, most)
	}
}

// Periods begin as messages come, or, where the index is made anew, of what was written long ago.
func TestPeriodsHaveSomeMessagesEach(t *testing.T) {
	p := newParted(t, chat.Config{})
	p.say(600)
	p.wantPeriods(4, 11)
	p.wantFound(600)
	ask(t, p.url, `TRUNCATE message_words, periods, indexed`)
	p.say(3) // the index hears that there is something to follow
	p.wantPeriods(8, 12)
	p.wantFound(603)
}

// Who writes faster than the index follows leaves it far behind. It follows group by group, and the periods are none the larger.
func TestPeriodsOfAnIndexFarBehindAreShort(t *testing.T) {
	p := newParted(t, chat.Config{})
	p.say(1200)
	ask(t, p.url, `TRUNCATE message_words, periods, indexed`)
	ask(t, p.url, fmt.Sprintf(`INSERT INTO periods (number, start, messages, last) VALUES (1, 0, %d, 1)`, periodLength))
	p.say(3) // the index hears that there is something to follow
	p.wantPeriods(15, 25)
	p.wantFound(1203)
}

// The index of an older version is of no use, and one is made anew.
func TestAnIndexWithoutPeriodsIsMadeAnew(t *testing.T) {
	p := newParted(t, chat.Config{})
	p.say(30)
	p.must(p.service.Close(t.Context()))
	p.must(p.store.Close())
	for _, name := range []string{"00013_founding", "00012_search_by_period"} {
		migration, err := os.ReadFile("migrations/postgres/" + name + ".sql")
		p.must(err)
		_, down, _ := strings.Cut(string(migration), "-- +goose Down")
		ask(t, p.url, down)
	}
	ask(t, p.url, `DELETE FROM goose_db_version WHERE version_id >= 12`)
	ask(t, p.url, `INSERT INTO message_words (group_key, seq, words, sent_at) VALUES (1, 1, 'old words', 1)`)
	ask(t, p.url, `INSERT INTO indexed (group_key, rev, floor) SELECT key, head, floor FROM groups`)
	p.store, p.service = p.open(chat.Config{})
	p.wantFound(30)
}

// What retention has emptied is not asked for ever.
func TestAPeriodWithoutMessagesIsDropped(t *testing.T) {
	p := newParted(t, chat.Config{Retention: 5})
	p.say(600)
	p.now.Add(10 * 24 * 60 * 60 * 1000)
	p.say(30)
	p.wantPeriods(5, 12)
	p.must(p.service.Expire(t.Context()))
	p.must(p.store.SettleIndex(t.Context()))
	for deadline := time.Now().Add(20 * time.Second); p.periods() > 2; <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d periods are left", p.periods())
		}
	}
	p.wantFound(30)
	p.say(90)
	p.wantFound(120)
}

// Nodes that index at the same time agree on where periods begin.
func TestNodesPartTheTimeAlike(t *testing.T) {
	p := newParted(t, chat.Config{})
	others, theirs := p.open(chat.Config{})
	p.store.LookAt(2)
	others.LookAt(2)
	var all sync.WaitGroup
	for i, service := range []*chat.Service{p.service, theirs} {
		for _, room := range p.rooms {
			all.Go(func() {
				for n := range 60 {
					if _, err := service.SendMessage(t.Context(), p.alice, chat.NewMessage{Group: room, Text: fmt.Sprint("commonplace ", n)}); err != nil {
						t.Error(err)
					}
					if err := []*store.Store{p.store, others}[i].SettleIndex(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	p.wantFound(360)
}

// logged is what a store reports.
type logged struct {
	mu   sync.Mutex // guards below
	text bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// While another node makes the first periods, which takes long, who waits for it has no failure to report.
func TestWhoWaitsForAnotherNodesPeriodsIsPatient(t *testing.T) {
	p := newParted(t, chat.Config{})
	var report logged
	s, err := store.Open(t.Context(), store.Config{URL: p.url + "&lock_timeout=50ms", Logger: slog.New(slog.NewTextHandler(&report, nil))})
	p.must(err)
	other, err := pgx.Connect(t.Context(), p.url)
	p.must(err)
	defer other.Close(context.Background())
	_, err = other.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, 0x71756e04)
	p.must(err)
	service := chat.New(s, deaf{}, chat.Config{})
	_, err = service.SendMessage(t.Context(), p.alice, chat.NewMessage{Group: p.rooms[0], Text: "hello"})
	p.must(err)
	for waits := false; !waits && report.String() == ""; <-time.After(10 * time.Millisecond) {
		p.must(other.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE wait_event = 'advisory' AND query_start < clock_timestamp() - interval '200 milliseconds')`).Scan(&waits))
	}
	p.must(other.Close(t.Context()))
	p.must(s.SettleIndex(t.Context()))
	p.must(service.Close(t.Context()))
	p.must(s.Close())
	if said := report.String(); said != "" {
		t.Errorf("it reports %s", said)
	}
}
