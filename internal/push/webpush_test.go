package push_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

// call is what a browser was told.
type call struct {
	GroupID chat.GroupID
	Seq     chat.Seq
	Count   int
	Group   string
	Sender  string
	Text    string
	header  http.Header
}

// subscribe lets a new device of u be called.
func (h *house) subscribe(u *chat.User, endpoint string) *browser {
	h.t.Helper()
	b := newBrowser(h.t)
	encode := base64.URLEncoding.EncodeToString // with padding, as some browsers write it
	h.must(h.SubscribePush(h.ctx, u, chat.NewSubscription{
		Endpoint: endpoint, Keys: chat.PushKeys{P256DH: encode(b.key.PublicKey().Bytes()), Auth: encode(b.auth)},
	}, nil))
	return b
}

// calls are those of one device so far, opened; those of others are forgotten.
func (h *house) calls(b *browser, endpoint string) (calls []call) {
	h.t.Helper()
	for _, d := range h.world.takes() {
		if d.url != endpoint {
			continue
		}
		plain, err := b.open([]byte(d.body))
		h.must(err)
		c := call{header: d.header}
		h.must(json.Unmarshal(plain, &c))
		calls = append(calls, c)
	}
	return calls
}

func (h *house) notify(u *chat.User, g chat.GroupID, how chat.Notify) {
	h.t.Helper()
	h.must(h.store.Change(h.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(u.ID)
		if err != nil {
			return err
		}
		m.Notify = how
		return tx.PutMembership(m)
	}))
}

const (
	phone   = "https://push.example.org/send/phone"
	gathers = 4 * time.Second // a little longer than messages are gathered
)

func TestAbsentMemberIsCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.room("lobby", alice, bob)
		h.send(alice, g, "before there was a device")
		time.Sleep(time.Second)
		b := h.subscribe(bob, phone)
		time.Sleep(time.Second)
		h.send(alice, g, "hello")
		h.send(bob, g, "my own, from elsewhere")
		last := h.send(alice, g, strings.Repeat("好", 200))
		time.Sleep(gathers)
		calls := h.calls(b, phone)
		if len(calls) != 1 {
			t.Fatalf("got %d calls, want 1 for what came together", len(calls))
		}
		c := calls[0]
		if c.GroupID != g || c.Seq != last.Seq || c.Count != 2 || c.Group != "lobby" || c.Sender != "alice" || c.Text != strings.Repeat("好", 119)+"…" {
			t.Errorf("told %+v", c)
		}
		if c.header.Get("Content-Encoding") != "aes128gcm" || c.header.Get("TTL") != "86400" || c.header.Get("Urgency") != "normal" || len(c.header.Get("Topic")) != 32 {
			t.Errorf("with the headers %v", c.header)
		}
		checkVAPID(t, h.PushKey(), c.header.Get("Authorization"))
		time.Sleep(time.Hour)
		if more := h.calls(b, phone); len(more) != 0 {
			t.Errorf("called again: %+v", more)
		}
	})
}

// checkVAPID verifies a token as a push service does.
func checkVAPID(t *testing.T, key, header string) {
	t.Helper()
	fields := strings.Split(strings.TrimPrefix(header, "vapid t="), ", k=")
	parts := strings.Split(fields[0], ".")
	if len(fields) != 2 || fields[1] != key || len(parts) != 3 {
		t.Fatalf("authorized by %q, the key is %q", header, key)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), bytesOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature := bytesOf(t, parts[2])
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is wrong")
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(bytesOf(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	if claims.Aud != "https://push.example.org" || claims.Sub != "mailto:admin@example.org" || left <= 0 || left > 24*time.Hour {
		t.Errorf("claims are %+v", claims)
	}
}

func TestWhoIsCalledForWhat(t *testing.T) {
	for _, c := range []struct {
		name  string
		does  func(h *house, alice, bob *chat.User, g chat.GroupID)
		calls int
	}{
		{"all by default", func(h *house, alice, bob *chat.User, g chat.GroupID) { h.send(alice, g, "x") }, 1},
		{"nothing of a muted group", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			h.notify(bob, g, chat.NotifyNothing)
			h.send(alice, g, "x")
		}, 0},
		{"mentions only, and none", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			h.notify(bob, g, chat.NotifyMentions)
			h.send(alice, g, "x")
		}, 0},
		{"own messages", func(h *house, alice, bob *chat.User, g chat.GroupID) { h.send(bob, g, "x") }, 0},
		{"has the chat in sight", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			h.watch(bob, true)
			h.send(alice, g, "x")
		}, 0},
		{"read meanwhile", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			m := h.send(alice, g, "x")
			if _, err := h.ReadUpTo(h.ctx, bob, g, m.Seq); err != nil {
				h.t.Error(err)
			}
		}, 0},
		{"recalled meanwhile", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			m := h.send(alice, g, "x")
			h.must(h.store.Change(h.ctx, g, func(tx chat.GroupTx) error {
				gone := *m
				gone.Text, gone.RecalledAt = "", chat.TimeOf(time.Now())
				return tx.PutMessage(&gone)
			}))
		}, 0},
		{"no longer a member", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			h.send(alice, g, "x")
			h.must(h.store.Change(h.ctx, g, func(tx chat.GroupTx) error {
				m, err := tx.Membership(bob.ID)
				m.State = chat.MemberKicked
				return errors.Join(err, tx.PutMembership(m))
			}))
		}, 0},
		{"no longer wanted", func(h *house, alice, bob *chat.User, g chat.GroupID) {
			h.must(h.UnsubscribePush(h.ctx, bob, phone))
			h.send(alice, g, "x")
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice, bob := h.member("alice"), h.member("bob")
				g := h.room("lobby", alice, bob)
				b := h.subscribe(bob, phone)
				c.does(h, alice, bob, g)
				time.Sleep(time.Minute)
				if calls := h.calls(b, phone); len(calls) != c.calls {
					t.Errorf("got %d calls, want %d: %+v", len(calls), c.calls, calls)
				}
			})
		})
	}
}

func TestMentionCallsMoreUrgently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.room("lobby", alice, bob)
		h.notify(bob, g, chat.NotifyMentions)
		b := h.subscribe(bob, phone)
		for _, who := range []chat.UserID{alice.ID, bob.ID, chat.MentionAll} {
			h.must(h.store.Change(h.ctx, g, func(tx chat.GroupTx) error {
				return tx.AddMessage(&chat.Message{ID: chat.MessageID(who), UserID: alice.ID, NickName: "alice", Kind: chat.MessageText,
					Text: "hey", Mentions: []chat.UserID{who}, SentAt: chat.TimeOf(time.Now())})
			}))
			time.Sleep(time.Minute)
			calls := h.calls(b, phone)
			if want := who != alice.ID; (len(calls) == 1) != want || want && calls[0].header.Get("Urgency") != "high" {
				t.Errorf("%s is mentioned: got %+v", who, calls)
			}
		}
	})
}

func TestLockedScreenShowsNothingIfItsUserWantsSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.room("lobby", alice, bob)
		b := h.subscribe(bob, phone)
		h.must(h.store.ChangeUser(h.ctx, bob.ID, func(tx chat.UserTx) error { return tx.PutSettings([]byte(`{"pushPreview":false}`)) }))
		h.send(alice, g, "secret")
		time.Sleep(gathers)
		calls := h.calls(b, phone)
		if len(calls) != 1 || calls[0].Text != "" || calls[0].Sender != "" || calls[0].Group != "" || calls[0].GroupID != g || calls[0].Count != 1 {
			t.Errorf("told %+v", calls)
		}
	})
}

func TestManyMessagesAreFewCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.room("lobby", alice, bob)
		b := h.subscribe(bob, phone)
		for i := range 60 {
			h.send(alice, g, fmt.Sprint(i))
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		calls := h.calls(b, phone)
		told := 0
		topics := map[string]bool{}
		for _, c := range calls {
			told += c.Count
			topics[c.header.Get("Topic")] = true
		}
		if len(calls) < 3 || len(calls) > 5 || told != 60 || calls[len(calls)-1].Text != "59" || len(topics) != 1 {
			t.Errorf("%d calls for %d messages in a minute, of topics %v, want about 4 for 60: %+v", len(calls), told, topics, calls)
		}
	})
}

func TestDeviceThatIsGoneIsForgotten(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			alice, bob := h.member("alice"), h.member("bob")
			g := h.room("lobby", alice, bob)
			h.subscribe(bob, phone)
			h.world.answers(always(status))
			h.send(alice, g, "one")
			time.Sleep(time.Minute)
			h.send(alice, g, "two")
			time.Sleep(time.Hour)
			if got := h.world.takes(); len(got) != 1 {
				t.Errorf("%d: called %d times, want once", status, len(got))
			}
		})
	}
}

func TestFailedCallIsMadeAgainAndOthersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.room("lobby", alice, bob)
		const laptop = "https://other.example.org/laptop"
		h.subscribe(bob, phone)
		h.subscribe(bob, laptop)
		h.world.answers(func(d delivery) (int, http.Header, error) {
			if d.url == phone {
				return http.StatusServiceUnavailable, nil, nil
			}
			return http.StatusCreated, nil, nil
		})
		h.send(alice, g, "one")
		time.Sleep(3 * time.Minute)
		counts := map[string]int{}
		for _, d := range h.world.takes() {
			counts[d.url]++
		}
		if counts[laptop] != 1 || counts[phone] < 2 {
			t.Errorf("calls are %v", counts)
		}
		h.world.answers(nil)
		time.Sleep(10 * time.Minute)
		if got := h.world.takes(); len(got) != 1 || got[0].url != phone {
			t.Errorf("when it works again: %d calls", len(got))
		}
		time.Sleep(time.Hour)
		if got := h.world.takes(); len(got) != 0 {
			t.Errorf("%d calls after all were made", len(got))
		}
	})
}

func TestCrashBeforeACallLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.room("lobby", alice, bob)
		b := h.subscribe(bob, phone)
		h.send(alice, g, "one")
		h.close() // before messages are gathered
		time.Sleep(5 * time.Minute)
		h.open()
		time.Sleep(time.Minute)
		if calls := h.calls(b, phone); len(calls) != 1 || calls[0].Text != "one" {
			t.Errorf("got %+v", calls)
		}
	})
}

func TestOneDeviceInManyGroupsMissesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		b := h.subscribe(bob, phone)
		h.world.answers(func(delivery) (int, http.Header, error) {
			time.Sleep(700 * time.Millisecond)
			return http.StatusCreated, nil, nil
		})
		var want []string
		for i := range 12 {
			name := fmt.Sprint("room ", i)
			want = append(want, name)
			h.send(alice, h.room(name, alice, bob), "hello")
		}
		time.Sleep(3 * time.Minute)
		var got []string
		for _, c := range h.calls(b, phone) {
			got = append(got, c.Group)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("called for %q, want %q", got, want)
		}
	})
}

func TestKeyOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		before := h.PushKey()
		h.close()
		h.open()
		if after := h.PushKey(); after != before || len(after) != 87 {
			t.Errorf("the key was %q, and is %q", before, after)
		}
	})
}

func TestSubscriptionsThatAreNoneAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		bob := h.member("bob")
		b := newBrowser(t)
		key, auth := base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()), base64.RawURLEncoding.EncodeToString(b.auth)
		for name, in := range map[string]chat.NewSubscription{
			"http":         {Endpoint: "http://push.example.org/", Keys: chat.PushKeys{P256DH: key, Auth: auth}},
			"no address":   {Endpoint: "https:///x", Keys: chat.PushKeys{P256DH: key, Auth: auth}},
			"a password":   {Endpoint: "https://a:b@push.example.org/", Keys: chat.PushKeys{P256DH: key, Auth: auth}},
			"too long":     {Endpoint: "https://push.example.org/" + strings.Repeat("x", 2000), Keys: chat.PushKeys{P256DH: key, Auth: auth}},
			"no point":     {Endpoint: phone, Keys: chat.PushKeys{P256DH: strings.Repeat("A", len(key)), Auth: auth}},
			"short secret": {Endpoint: phone, Keys: chat.PushKeys{P256DH: key, Auth: auth[:10]}},
			"no base64":    {Endpoint: phone, Keys: chat.PushKeys{P256DH: key, Auth: "!"}},
			"no keys":      {Endpoint: phone},
		} {
			var refused *chat.Error
			if err := h.SubscribePush(h.ctx, bob, in, nil); !errors.As(err, &refused) || refused.Code != chat.CodeInvalid {
				t.Errorf("%s: got %v", name, err)
			}
		}
		guest, err := h.NewGuest(h.ctx, "guest", false)
		h.must(err)
		var refused *chat.Error
		err = h.SubscribePush(h.ctx, guest, chat.NewSubscription{Endpoint: phone, Keys: chat.PushKeys{P256DH: key, Auth: auth}}, nil)
		if !errors.As(err, &refused) || refused.Code != chat.CodeForbidden {
			t.Errorf("a guest: got %v", err)
		}
	})
}
