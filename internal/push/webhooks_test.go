package push_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

const target = "https://hooks.example.org/in?key=secret"

// settled waits until everything that can be told now is.
func settled() { synctest.Wait() }

// hooked is a house with a room of alice's, of which a program at target is told.
func hooked(t *testing.T) (*house, *chat.User, chat.GroupID, *chat.WebhookSecret) {
	t.Helper()
	h := newHouse(t)
	alice := h.member("alice")
	g := h.room("lobby", alice)
	hook := h.hook(alice, g, target)
	settled()
	return h, alice, g, hook
}

func TestWebhookIsToldEveryMessageInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.member("alice")
		g := h.room("lobby", alice)
		h.send(alice, g, "before")
		hook := h.hook(alice, g, target)
		settled()
		var want []string
		for i := range 120 { // more than a page
			want = append(want, fmt.Sprint("text ", i))
			h.send(alice, g, want[i])
		}
		settled()
		got := h.wantTexts("all of it", want...)
		ids := map[string]bool{}
		for _, d := range got {
			ids[d.header.Get("Webhook-Id")] = true
			checkSigned(t, hook.Secret, d)
			if d.url != target || d.header.Get("Qun-Event") != "message" || d.header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Fatalf("told %+v", d)
			}
		}
		if len(ids) != len(want) {
			t.Errorf("%d deliveries bear %d ids", len(want), len(ids))
		}
		for _, field := range []string{`"nickName":"alice"`, `"groupId":"` + string(g), `"userId":"` + string(alice.ID), `"room":"lobby"`, `"kind":"text"`} {
			if !strings.Contains(got[0].body, field) {
				t.Errorf("%s is missing in %s", field, got[0].body)
			}
		}
		if now := h.hookNow(alice, hook); now.ToldAt == 0 || now.Tries != 0 || now.FailingAt != 0 {
			t.Errorf("it has come to %+v", now.Progress)
		}
	})
}

// checkSigned verifies a delivery as its receiver does.
func checkSigned(t *testing.T, secret string, d delivery) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 {
		t.Fatalf("the secret %q is none: %v", secret, err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", d.header.Get("Webhook-Id"), d.header.Get("Webhook-Timestamp"), d.body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); d.header.Get("Webhook-Signature") != want {
		t.Errorf("signed %s, want %s", d.header.Get("Webhook-Signature"), want)
	}
	if at, err := strconv.ParseInt(d.header.Get("Webhook-Timestamp"), 10, 64); err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("at %s, now it is %s", d.header.Get("Webhook-Timestamp"), time.Now())
	}
}

func TestWebhookHearsOnlyWhatItWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.member("alice"), h.member("bob")
		g, other := h.room("lobby", alice), h.room("other", alice)
		h.hook(alice, g, target, chat.WebhookChange)
		settled()
		h.send(alice, g, "hello")
		h.send(alice, other, "elsewhere")
		h.room("lobby", bob)
		settled()
		got := h.world.takes()
		if len(got) != 1 || got[0].header.Get("Qun-Event") != "change" || !strings.Contains(got[0].body, `"kind":"member"`) {
			t.Errorf("told %+v", got)
		}
	})
}

func TestWhatWasRolledBackIsNeverTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, _ := hooked(t)
		failure := errors.New("changed my mind")
		err := h.store.Change(h.ctx, g, func(tx chat.GroupTx) error {
			return errors.Join(tx.AddMessage(&chat.Message{ID: "x", Kind: chat.MessageText, Text: "never"}), failure)
		})
		if !errors.Is(err, failure) {
			t.Fatal(err)
		}
		h.send(alice, g, "said")
		time.Sleep(time.Minute)
		h.wantTexts("what was committed", "said")
	})
}

func TestFailedDeliveryIsTriedAgainLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, hook := hooked(t)
		var tried []time.Time
		ids := map[string]bool{}
		h.world.answers(func(d delivery) (int, http.Header, error) {
			tried, ids[d.header.Get("Webhook-Id")] = append(tried, time.Now()), true
			return http.StatusInternalServerError, nil, nil
		})
		h.send(alice, g, "one")
		h.send(alice, g, "two")
		time.Sleep(76 * time.Second) // the fifth time is after 75 s at the latest
		settled()
		for i, most := range []time.Duration{5, 10, 20, 40} {
			if gap := tried[i+1].Sub(tried[i]).Round(time.Millisecond); gap < most*time.Second/2 || gap > most*time.Second+time.Millisecond {
				t.Errorf("after %d failures it is tried again after %v, want %d s, or up to half of it less", i+1, gap, most)
			}
		}
		if len(ids) != 1 {
			t.Errorf("the same event came under the ids %v", ids)
		}
		h.world.takes()
		if now := h.hookNow(alice, hook); now.Failure != "it answered 500 Internal Server Error" || now.Tries < 5 || now.FailingAt == 0 || now.DueAt == 0 {
			t.Errorf("the admins read %+v", now.Progress)
		}
		h.world.answers(nil)
		time.Sleep(90 * time.Second)
		h.wantTexts("when it works again", "one", "two")
		if now := h.hookNow(alice, hook); now.Failure != "" || now.FailingAt != 0 {
			t.Errorf("after a success: %+v", now.Progress)
		}
	})
}

func TestEventThatIsNotWantedIsGivenUpAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, _ := hooked(t)
		h.world.answers(func(d delivery) (int, http.Header, error) {
			if strings.Contains(d.body, "poison") {
				return http.StatusBadRequest, nil, nil
			}
			return http.StatusNoContent, nil, nil
		})
		h.send(alice, g, "poison")
		h.send(alice, g, "good")
		time.Sleep(55 * time.Minute)
		for _, text := range texts(h.world.takes()) {
			if text != "poison" {
				t.Fatalf("told %q before its turn", text)
			}
		}
		time.Sleep(65 * time.Minute)
		if got := texts(h.world.takes()); len(got) == 0 || got[len(got)-1] != "good" {
			t.Errorf("after two hours: told %q", got)
		}
	})
}

func TestWebhookThatIsNotThereForDaysIsSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, hook := hooked(t)
		h.world.answers(unreachable)
		for range 71 {
			h.send(alice, g, "one of many")
			time.Sleep(time.Hour)
		}
		if now := h.hookNow(alice, hook); now.OffAt != 0 {
			t.Error("switched off too early")
		}
		time.Sleep(3 * time.Hour)
		if now := h.hookNow(alice, hook); now.OffAt == 0 || now.Failure != "it cannot be reached, or broke off" {
			t.Errorf("after three days: %+v", now.Progress)
		}
		h.world.takes()
		h.world.answers(nil)
		h.send(alice, g, "while it was off")
		time.Sleep(time.Hour)
		h.wantTexts("while it is off")
		on := true
		_, err := h.UpdateWebhook(h.ctx, alice, chat.WebhookUpdate{GroupID: g, WebhookID: hook.ID, On: &on})
		h.must(err)
		h.send(alice, g, "on again")
		settled()
		h.wantTexts("on again", "on again")
	})
}

func TestWebhookThatIsGoneIsSwitchedOffAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, hook := hooked(t)
		h.world.answers(always(http.StatusGone))
		h.send(alice, g, "one")
		settled()
		if now := h.hookNow(alice, hook); now.OffAt == 0 {
			t.Errorf("got %+v", now.Progress)
		}
	})
}

func TestTargetSaysHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, _ := hooked(t)
		h.world.answers(func(delivery) (int, http.Header, error) {
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"120"}}, nil
		})
		h.send(alice, g, "one")
		settled()
		h.wantTexts("at once", "one")
		time.Sleep(119 * time.Second)
		h.wantTexts("before it is wanted")
		time.Sleep(2 * time.Second)
		h.wantTexts("then", "one")
	})
}

func TestStopLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, alice, g, _ := hooked(t)
		var want []string
		for round := range 5 {
			h.world.answers(func(d delivery) (int, http.Header, error) {
				time.Sleep(300 * time.Millisecond)
				return http.StatusOK, nil, nil
			})
			for i := range 5 {
				text := fmt.Sprintf("%d.%d", round, i)
				want = append(want, text)
				h.send(alice, g, text)
			}
			time.Sleep(time.Duration(round) * 400 * time.Millisecond)
			h.close()
			h.open()
		}
		time.Sleep(time.Hour)
		if got := slices.Compact(texts(h.world.takes())); !slices.Equal(got, want) { // the one that was broken off comes twice
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestTwoNodesTellOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.member("alice")
		var want []string
		other := h.newCourier()
		other.Start()
		defer other.Close()
		for i := range 20 {
			g := h.room(fmt.Sprint("room ", i), alice)
			h.hook(alice, g, fmt.Sprintf("https://%d.example.org/", i))
			other.WebhooksChanged(g)
			for n := range 3 {
				text := fmt.Sprintf("%d.%d", i, n)
				want = append(want, text)
				m := h.send(alice, g, text)
				other.Notify(chat.Event{Group: g, Number: m.Seq, Message: m}) // it hears of it, too
			}
		}
		time.Sleep(2 * time.Minute)
		got := texts(h.world.takes())
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestWhatADeadNodeWasLentIsToldByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.member("alice")
		g := h.room("lobby", alice)
		h.courier.Close()
		h.hook(alice, g, target)
		h.send(alice, g, "one")
		now := chat.TimeOf(time.Now())
		if lent, err := h.store.ClaimWebhooks(h.ctx, now, now+60_000, 9); len(lent) != 1 || err != nil {
			t.Fatalf("lent %v, %v", lent, err)
		}
		h.courier = h.newCourier()
		h.courier.Start()
		time.Sleep(59 * time.Second)
		h.wantTexts("while it is lent")
		time.Sleep(2 * time.Second)
		h.wantTexts("then", "one")
	})
}

func TestSlowHostIsNotOverrunAndNobodyWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.member("alice")
		var mu sync.Mutex
		slow, most := 0, 0
		h.world.answers(func(d delivery) (int, http.Header, error) {
			if !strings.Contains(d.url, "slow") {
				return http.StatusOK, nil, nil
			}
			mu.Lock()
			slow++
			most = max(most, slow)
			mu.Unlock()
			time.Sleep(8 * time.Second)
			mu.Lock()
			slow--
			mu.Unlock()
			return http.StatusOK, nil, nil
		})
		var groups []chat.GroupID
		for i := range 60 {
			g := h.room(fmt.Sprint("room ", i), alice)
			h.hook(alice, g, fmt.Sprintf("https://slow.example.org/%d", i))
			groups = append(groups, g)
		}
		quick := h.room("quick", alice)
		h.hook(alice, quick, "https://quick.example.org/")
		for _, g := range groups {
			h.send(alice, g, "slow")
		}
		h.send(alice, quick, "quick")
		time.Sleep(5 * time.Second)
		if got := texts(h.world.takes()); !slices.Contains(got, "quick") {
			t.Errorf("after 5 s: told %q", got)
		}
		time.Sleep(5 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if got := h.world.takes(); len(got) != 60-4 || most != 4 {
			t.Errorf("%d more were told, %d at once; want 56, 4", len(got), most)
		}
	})
}

func TestPingTellsOnceAndSaysWhatCameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.member("alice")
		g := h.room("lobby", alice)
		hook := h.hook(alice, g, target)
		h.must(h.TestWebhook(h.ctx, alice, g, hook.ID))
		got := h.world.takes()
		if len(got) != 1 || got[0].header.Get("Qun-Event") != "ping" || !strings.Contains(got[0].body, `"kind":"notice"`) {
			t.Fatalf("told %+v", got)
		}
		checkSigned(t, hook.Secret, got[0])
		h.world.answers(always(http.StatusForbidden))
		var refused *chat.Error
		err := h.TestWebhook(h.ctx, alice, g, hook.ID)
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, "403") {
			t.Errorf("got %v", err)
		}
		h.world.answers(unreachable)
		err = h.TestWebhook(h.ctx, alice, g, hook.ID)
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, "cannot be reached") || !strings.HasSuffix(refused.In("zh-CN"), "：连不上，或中途断开") {
			t.Errorf("got %v, %v", err, refused.In("zh-CN"))
		}
		if now := h.hookNow(alice, hook); now.FailingAt != 0 {
			t.Error("a failed test counts as a failure")
		}
	})
}
