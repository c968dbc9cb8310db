package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/faultproxy"
	"qun/internal/store"
)

// TestKilledServerLosesNothingAcknowledged kills the database server under load, and brings it back. Every answer must
// be true: what was acknowledged is there, what was refused is not.
func TestKilledServerLosesNothingAcknowledged(t *testing.T) {
	server := durable(t)
	l := newLobby(t, store.Config{URL: server.URL("postgres")})
	ctx, stop := context.WithCancel(t.Context())
	acknowledged, answers := l.flood(ctx, 12)
	load := func() { // the fault must come in the middle of it
		for before, began := acknowledged(), time.Now(); acknowledged() < before+30; time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatal("nothing is acknowledged any more")
			}
		}
		time.Sleep(rand.N(300 * time.Millisecond))
	}
	for range 3 {
		load()
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
	}
	load()
	stop()
	must, mustNot, unknown := answers()
	if len(must) < 100 || len(mustNot) == 0 {
		t.Errorf("%d acknowledged, %d refused: this shows little", len(must), len(mustNot))
	}
	if unknown > 0 {
		t.Errorf("of %d nobody knows, with a server that came back", unknown)
	}
	l.check(must, mustNot)
}

// flood lets so many guests speak until ctx ends. acknowledged says how many texts were so far; answers waits for the guests and
// says which texts were acknowledged, which refused, and of how many nobody knows.
func (l *lobby) flood(ctx context.Context, guests int) (acknowledged func() int, answers func() (must, mustNot map[string]bool, unknown int)) {
	var mu sync.Mutex
	must, mustNot, unknown := map[string]bool{}, map[string]bool{}, 0
	var all sync.WaitGroup
	for range guests {
		guest, _ := l.enter()
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				text := fmt.Sprintf("%s/%d", guest.ID, n)
				_, err := l.append(guest, text)
				mu.Lock()
				switch {
				case err == nil:
					must[text] = true
				case errors.Is(err, store.ErrUnknown):
					unknown++
				case errors.Is(err, chat.ErrBusy):
					mustNot[text] = true
				default:
					l.t.Errorf("%s: %v", text, err)
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(20 * time.Millisecond) // as a client would
				}
			}
		})
	}
	acknowledged = func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(must)
	}
	return acknowledged, func() (map[string]bool, map[string]bool, int) {
		all.Wait()
		return must, mustNot, unknown
	}
}

// append is say without the service: the store's own answer.
func (l *lobby) append(by *chat.User, text string) (*chat.Sent, error) {
	return l.store.AppendMessage(context.Background(), posting(l.group, by, text))
}

func posting(g chat.GroupID, by *chat.User, text string) *chat.Posting {
	return &chat.Posting{
		Message: chat.Message{
			ID: chat.MessageID(string(g) + text), GroupID: g, UserID: by.ID, NickName: by.NickName, Guest: by.Guest,
			Kind: chat.MessageText, Text: text, ClientID: text[max(0, len(text)-64):], SentAt: 1,
		},
		By: by, Entered: true, Guests: true,
	}
}

// TestCommitThatIsCutIsAnsweredTruly cuts the connection in the middle of commits, before or after they reach the server.
func TestCommitThatIsCutIsAnsweredTruly(t *testing.T) {
	proxy := newProxy(t, database(t))
	l := newLobby(t, store.Config{URL: proxy.url})
	var fired int
	for _, cut := range []cut{beforeServer, afterServer, beforeServer, afterServer} {
		if _, err := l.append(l.guest, fmt.Sprint("before ", fired)); err != nil {
			t.Fatal(err)
		}
		proxy.cutNext(cut)
		fired++
		text := fmt.Sprint("cut ", fired)
		sent, err := l.append(l.guest, text)
		if err != nil || sent.Duplicate || sent.Message.Text != text {
			t.Errorf("cut %d: got %+v, %v; want it stored", cut, sent, err)
		}
		if !proxy.fired() {
			t.Error("nothing was cut")
		}
	}
	l.check(map[string]bool{"cut 1": true, "cut 2": true, "cut 3": true, "cut 4": true}, nil)
}

// TestCommitNobodyCanAnswerForIsUnknown cuts a commit that reached the server, and every connection after it, and gives
// the server up.
func TestCommitNobodyCanAnswerForIsUnknown(t *testing.T) {
	server := database(t)
	proxy := newProxy(t, server)
	l := newLobby(t, store.Config{URL: proxy.url})
	first, err := l.append(l.guest, "first")
	if err != nil {
		t.Fatal(err)
	}
	proxy.cutNext(afterServerForGood)
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := l.append(l.guest, "second"); !errors.Is(err, store.ErrUnknown) || errors.Is(err, chat.ErrBusy) {
			t.Errorf("got %v, want %v", err, store.ErrUnknown)
		}
	})
	for !proxy.fired() {
		time.Sleep(time.Millisecond) // until the commit is on its way
	}
	if err := l.store.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	again, err := openPostgres(t, server).AppendMessage(t.Context(), posting(l.group, l.guest, "second"))
	if err != nil || !again.Duplicate || again.Message.Seq != first.Message.Seq+1 {
		t.Errorf("sent again: got %+v, %v; want the duplicate", again, err)
	}
}

// TestWhatNobodyCanAnswerForIsFoundByWhoLooks lets a node write what it does not know of, and so cannot tell: its look at what
// others wrote must find it.
func TestWhatNobodyCanAnswerForIsFoundByWhoLooks(t *testing.T) {
	proxy := newProxy(t, database(t))
	l := newLobby(t, store.Config{URL: proxy.url})
	l.store.SettleFor(time.Millisecond)
	mark := func() string {
		t.Helper()
		mark, err := l.store.Elsewhere(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return mark
	}
	before := mark()
	if _, err := l.append(l.guest, "first"); err != nil {
		t.Fatal(err)
	}
	if now := mark(); now != before {
		t.Errorf("what a node wrote itself is somebody else's: the mark is %q after %q", now, before)
	}
	proxy.cutNext(afterServerForGood)
	if _, err := l.append(l.guest, "second"); !errors.Is(err, store.ErrUnknown) {
		t.Fatalf("got %v, want %v", err, store.ErrUnknown)
	}
	proxy.Refuse(false)
	if now := mark(); now == before {
		t.Errorf("the mark is %q, as before", now)
	}
	if _, err := l.append(l.guest, "third"); err != nil {
		t.Error(err)
	}
}

// TestLockedGroupIsNotTheOthers holds the row of a group from outside.
func TestLockedGroupIsNotTheOthers(t *testing.T) {
	at := database(t)
	l := newLobby(t, store.Config{URL: at})
	rooms := map[chat.GroupID]bool{}
	for i := range 8 { // some of them have the lobby's writer
		entered, err := l.service.Enter(t.Context(), l.guest, chat.Entry{Room: fmt.Sprint("room ", i)})
		if err != nil {
			t.Fatal(err)
		}
		rooms[entered.Group.ID] = true
	}
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), fmt.Sprintf(`BEGIN; SELECT FROM groups WHERE id = '%s' FOR UPDATE`, l.group)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	locked := func() {
		if _, err := l.append(l.guest, "locked"); !errors.Is(err, chat.ErrBusy) {
			t.Errorf("a send to the locked group: got %v, want %v", err, chat.ErrBusy)
		}
	}
	all.Go(locked)
	time.Sleep(100 * time.Millisecond) // the writer waits for the group; what comes now shares its next batch
	all.Go(locked)
	for g := range rooms {
		all.Go(func() {
			if _, err := l.store.AppendMessage(t.Context(), posting(g, l.guest, "free "+string(g)[len(g)-8:])); err != nil {
				t.Errorf("a send to another group: %v", err)
			}
		})
	}
	all.Wait()
	if _, err := conn.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, err := l.append(l.guest, "free"); err != nil {
		t.Error(err)
	}
	l.check(map[string]bool{"free": true}, map[string]bool{"locked": true})
}

// TestNodesShareADatabase lets several stores on one database write the same groups, by the same users, with the same
// clientIds, and their users move between them: all in the orders that could lead into a deadlock.
func TestNodesShareADatabase(t *testing.T) {
	const nodes, people, groups, each = 3, 4, 4, 15
	at := database(t)
	var stores []*store.Store
	for range nodes {
		stores = append(stores, openWatched(t, at))
	}
	ids, users := populate(t, stores[0], people, groups)
	var fresh [people * each]atomic.Int32
	var all sync.WaitGroup
	for node, s := range stores {
		for n := range people * each {
			if node%2 == 1 {
				n = people*each - 1 - n
			}
			u := n / each
			all.Go(func() {
				p := posting(ids[(node+n)%groups], users[u], fmt.Sprint("said ", n))
				sent, err := s.AppendMessage(context.Background(), p)
				if err != nil {
					t.Errorf("append: %v", err)
				} else if !sent.Duplicate {
					fresh[n].Add(1)
				}
			})
		}
		all.Go(func() { rejoin(t, s, ids, users, node%2 == 1) })
	}
	all.Wait()
	for i := range fresh {
		if n := fresh[i].Load(); n != 1 {
			t.Errorf("clientId %d was stored %d times", i, n)
		}
	}
	for _, g := range ids {
		checkNumbers(t, stores[0], g)
	}
}

// TestClientIDsThatCrossDoNotWaitForEachOther sends the same clientIds at two nodes in two groups, in opposite orders, to a
// server that takes its time over each row.
func TestClientIDsThatCrossDoNotWaitForEachOther(t *testing.T) {
	const times = 12
	at := database(t)
	stores := []*store.Store{openWatched(t, at), openWatched(t, at)}
	ids, users := populate(t, stores[0], 1, 2)
	ask(t, at, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.004); RETURN NEW; END $$;
		CREATE TRIGGER slow BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION slow()`)
	var fresh atomic.Int32
	var all sync.WaitGroup
	for i := range times * len(stores) {
		node, n := i%2, i/2
		if node == 1 {
			n = times - 1 - n
		}
		all.Go(func() {
			sent, err := stores[node].AppendMessage(context.Background(), posting(ids[node], users[0], fmt.Sprint("said ", n)))
			if err != nil {
				t.Error(err)
			} else if !sent.Duplicate {
				fresh.Add(1)
			}
		})
	}
	all.Wait()
	if n := fresh.Load(); n != times {
		t.Errorf("%d messages stored, want %d", n, times)
	}
}

// TestNumbersOfAUserAreToldInOrderThoughAnswersAreLate changes users by several writers, which hear of their commits late.
func TestNumbersOfAUserAreToldInOrderThoughAnswersAreLate(t *testing.T) {
	proxy := newProxy(t, database(t))
	proxy.late.Store(true)
	s := openPostgres(t, proxy.url)
	ids, users := populate(t, s, 2, 8)
	last := map[chat.UserID]chat.Seq{}
	s.Hear(func(events []chat.Event) {
		for _, e := range events {
			if before, ok := last[e.User]; ok && e.User != "" && e.Number != before+1 {
				t.Errorf("number %d of %s was told after %d", e.Number, e.User, before)
			}
			last[e.User] = e.Number
		}
	})
	var all sync.WaitGroup
	for _, g := range ids {
		all.Go(func() {
			for range 8 {
				if err := s.Change(context.Background(), g, func(tx chat.GroupTx) error { return joinAll(tx, users) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := last[users[0].ID]; n != 1+8+64 {
		t.Errorf("the last number told is %d", n)
	}
}

// openWatched opens a store whose log is watched for deadlocks.
func openWatched(t *testing.T, at string) *store.Store {
	t.Helper()
	log := slog.New(&deadlocks{TextHandler: slog.NewTextHandler(t.Output(), nil), t: t})
	s, err := store.Open(t.Context(), store.Config{URL: at, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// deadlocks fails a test when a batch is tried again because others were in its way.
type deadlocks struct {
	*slog.TextHandler
	t *testing.T
}

func (d *deadlocks) Enabled(context.Context, slog.Level) bool { return true }

func (d *deadlocks) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if text := a.Value.String(); strings.Contains(text, "40P01") || strings.Contains(text, "55P03") {
			d.t.Errorf("%s: %s", record.Message, text)
		}
		return true
	})
	return nil
}

// populate makes groups, and users that are in all of them.
func populate(t *testing.T, s *store.Store, people, groups int) (ids []chat.GroupID, users []*chat.User) {
	t.Helper()
	for i := range people {
		u := &chat.User{ID: chat.UserID(fmt.Sprint("user ", i)), NickName: "u", Username: fmt.Sprint("u", i)}
		if err := s.CreateUser(t.Context(), u, chat.Credentials{}, nil); err != nil {
			t.Fatal(err)
		}
		users = append(users, u)
	}
	for i := range groups {
		g := &chat.Group{ID: chat.GroupID(fmt.Sprint("group ", i)), Name: "g", Kind: chat.KindGroup, Visibility: chat.VisibilityOpen}
		if _, _, err := s.OpenRoom(t.Context(), fmt.Sprint("room ", i), g, nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, g.ID)
		if err := s.Change(t.Context(), g.ID, func(tx chat.GroupTx) error { return joinAll(tx, users) }); err != nil {
			t.Fatal(err)
		}
	}
	return ids, users
}

func joinAll(tx chat.GroupTx, users []*chat.User) error {
	for _, u := range users {
		m := &chat.Membership{Member: chat.Member{UserID: u.ID, Role: chat.RoleMember, State: chat.MemberActive}, Notify: chat.NotifyAll}
		if err := tx.PutMembership(m); err != nil {
			return err
		}
	}
	return nil
}

// rejoin changes all memberships, users in one order or the other, and moves all cursors.
func rejoin(t *testing.T, s *store.Store, ids []chat.GroupID, users []*chat.User, backwards bool) {
	for n := range 10 {
		order := make([]*chat.User, len(users))
		var cursors []chat.Cursor
		for i, u := range users {
			order[i] = u
			if backwards {
				order[len(users)-1-i] = u
			}
			for _, g := range ids {
				cursors = append(cursors, chat.Cursor{Group: g, User: u.ID, Read: chat.Seq(5 * n)})
			}
		}
		if err := s.Change(context.Background(), ids[n%len(ids)], func(tx chat.GroupTx) error { return joinAll(tx, order) }); err != nil {
			t.Errorf("change: %v", err)
		}
		if err := s.MoveCursors(context.Background(), cursors); err != nil {
			t.Errorf("move cursors: %v", err)
		}
	}
}

// checkNumbers fails unless no two rows of a group have one number, and unread equals a naive count.
func checkNumbers(t *testing.T, s *store.Store, g chat.GroupID) {
	t.Helper()
	err := s.View(t.Context(), func(r chat.Reader) error {
		group, err := r.Group(g)
		if err != nil {
			return err
		}
		stored, err := r.Oldest(g, 0, 1<<30)
		if err != nil {
			return err
		}
		members, err := r.MembersAfter(g, 0, 1<<30)
		if err != nil {
			return err
		}
		revs := map[chat.Seq]bool{group.Rev: true}
		last := group.Rev
		for _, m := range stored {
			revs[m.Rev], last = true, max(last, m.Rev)
		}
		for _, m := range members {
			revs[m.Rev], last = true, max(last, m.Rev)
			if err := checkUnread(t, r, group, m.UserID, stored); err != nil {
				return err
			}
		}
		if len(revs) != 1+len(stored)+len(members) || last != group.Head || int(group.Counted) != len(stored) {
			t.Errorf("%s: %d numbers of %d rows, the last is %d, head %d, counted %d", g, len(revs), 1+len(stored)+len(members), last, group.Head, group.Counted)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkUnread(t *testing.T, r chat.Reader, g *chat.Group, u chat.UserID, stored []*chat.Message) error {
	m, err := r.Membership(g.ID, u)
	if err != nil {
		return err
	}
	naive := int64(0)
	for _, said := range stored {
		if said.UserID != u && said.Seq > m.ReadSeq {
			naive++
		}
	}
	if unread := m.Unread(g.Counted); unread != naive {
		t.Errorf("%s has %d unread in %s, counted are %d", u, unread, g.ID, naive)
	}
	return nil
}

// TestReadersOutliveTheirConnections ends all connections of a store that nobody uses at the moment.
func TestReadersOutliveTheirConnections(t *testing.T) {
	at := database(t)
	l := newLobby(t, store.Config{URL: at})
	for range 3 {
		l.check(nil, nil)
		ask(t, at, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qun'`)
		l.check(nil, nil)
		if _, err := l.append(l.guest, "still here"); err != nil {
			t.Error(err)
		}
	}
}

// cut says where a connection is cut.
type cut int

const (
	nowhere cut = iota
	beforeServer
	afterServer
	afterServerForGood
)

// proxy stands between a store and the server, and cuts commits.
type proxy struct {
	*faultproxy.Proxy
	url  string
	late atomic.Bool // answers to commits come some time after the server gave them

	mu   sync.Mutex // guards below
	next cut
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	p.Proxy = faultproxy.New(t, faultproxy.Config{
		Server: at.Host, Up: faultproxy.PostgresUp, Down: faultproxy.PostgresDown, Judge: p.judge,
	})
	at.Host = p.Addr()
	p.url = at.String()
	return p
}

func (p *proxy) judge(up bool, message []byte) faultproxy.Fate {
	if !faultproxy.IsCommit(up, message) {
		return faultproxy.Pass
	}
	if p.take(up) {
		return faultproxy.Cut
	}
	if !up && p.late.Load() {
		time.Sleep(rand.N(5 * time.Millisecond))
	}
	return faultproxy.Pass
}

func (p *proxy) cutNext(c cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = c
}

// fired reports whether what cutNext asked for has happened.
func (p *proxy) fired() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next == nowhere
}

// take reports whether a COMMIT, or the answer to it, is where the connection is to be cut.
func (p *proxy) take(up bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nowhere || up != (p.next == beforeServer) {
		return false
	}
	p.Refuse(p.next == afterServerForGood)
	p.next = nowhere
	return true
}

// The index goes on after a failure, though nobody writes any more: of all groups that were behind.
func TestTheIndexIsTriedAgain(t *testing.T) {
	url := database(t)
	failed := make(chan struct{}, 100)
	s, err := store.Open(t.Context(), store.Config{URL: url, Logger: slog.New(&bellHandler{slog.DiscardHandler, failed})})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 100}})
	defer service.Close(t.Context())
	alice, err := service.CreateMember(t.Context(), chat.NewMember{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SettleIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	release := lockTable(t, url, "message_words")
	for _, room := range []string{"one", "two", "three"} {
		entered, err := service.Enter(t.Context(), alice, chat.Entry{Room: room})
		if err == nil {
			_, err = service.SendMessage(t.Context(), alice, chat.NewMessage{Group: entered.Group.ID, Text: "words"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	settled := make(chan error, 1)
	go func() { settled <- s.SettleIndex(t.Context()) }()
	for range 3 { // the first two times what was written, and who waits, may have rung
		select {
		case <-failed:
		case <-time.After(30 * time.Second):
			t.Fatal("it gave up while it failed")
		}
	}
	release()
	select {
	case err := <-settled:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it gave up")
	}
}

// bellHandler rings when something is logged as an error.
type bellHandler struct {
	slog.Handler
	bell chan struct{}
}

func (h *bellHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (h *bellHandler) Handle(context.Context, slog.Record) error {
	select {
	case h.bell <- struct{}{}:
	default:
	}
	return nil
}

// lockTable locks a table for everybody else, until release.
func lockTable(t *testing.T, url, table string) (release func()) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = c.Exec(t.Context(), `BEGIN; LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	release = func() { c.Close(context.Background()) }
	t.Cleanup(release)
	return release
}

// Whom the server sends back while the tables are migrated comes again, but not for ever. A sequence counts on, whatever is
// rolled back.
func TestMigrationThatIsRolledBackIsTriedAgain(t *testing.T) {
	for _, test := range []struct {
		failures int
		opens    bool
	}{{2, true}, {1000, false}} {
		t.Run(fmt.Sprint(test.failures), func(t *testing.T) {
			url := database(t)
			openPostgres(t, url).Close()
			ask(t, url, `CREATE SEQUENCE tries`)
			ask(t, url, fmt.Sprintf(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF nextval('tries') <= %d THEN RAISE EXCEPTION 'this is a deadlock' USING ERRCODE = '40P01'; END IF;
				RETURN NULL; END $$`, test.failures))
			ask(t, url, `CREATE TRIGGER fail BEFORE DELETE ON writers FOR EACH STATEMENT EXECUTE FUNCTION fail()`)
			s, err := store.Open(t.Context(), store.Config{URL: url})
			if err == nil {
				s.Close()
			}
			if test.opens && err != nil {
				t.Errorf("it gives up: %v", err)
			}
			if !test.opens && !errors.Is(err, store.ErrUnreachable) {
				t.Errorf("got %v, want %v", err, store.ErrUnreachable)
			}
		})
	}
}

// Connections that were forgotten on the way while nobody used them are found out, all of them by the first.
func TestForgottenConnectionsHoldNobodyUp(t *testing.T) {
	const readers = 4
	at, err := url.Parse(database(t))
	if err != nil {
		t.Fatal(err)
	}
	var forgets atomic.Bool // until somebody connects anew
	var spoke atomic.Int64  // when anybody last asked anything, in nanoseconds
	proxy := faultproxy.New(t, faultproxy.Config{
		Server: at.Host, Up: faultproxy.PostgresUp, Down: faultproxy.PostgresDown, Judge: func(up bool, message []byte) faultproxy.Fate {
			if up && bytes.HasPrefix(message[4:], []byte{0, 3}) { // the version of the protocol: its first message
				forgets.Store(false)
			}
			if up {
				spoke.Store(time.Now().UnixNano())
			}
			if up && forgets.Load() {
				return faultproxy.Drop
			}
			return faultproxy.Pass
		},
	})
	at.Host = proxy.Addr()
	s := openPostgres(t, at.String())
	if err := s.SettleIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all, inside sync.WaitGroup
	inside.Add(readers)
	for range readers { // each on a connection of its own
		all.Go(func() {
			err := s.View(t.Context(), func(chat.Reader) error {
				inside.Done()
				inside.Wait()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for time.Since(time.Unix(0, spoke.Load())) < 1100*time.Millisecond { // the index is tidied meanwhile, too
		time.Sleep(10 * time.Millisecond)
	}
	forgets.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // two of them would take longer
	defer cancel()
	if _, err := s.Account(ctx, "nobody"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("got %v, want %v", err, auth.ErrNotFound)
	}
}
