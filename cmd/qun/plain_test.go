package main_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheSeedsPageChats(t *testing.T) {
	p := start(t)
	anna, ben, outside := p.dial(t), p.dial(t), p.dial(t)
	anna.join("大厅 🎉", "Anna")
	outside.join("elsewhere", "Otto")
	ben.join("大厅 🎉", "Ben")
	ben.say("sendMessage", object{"room": "大厅 🎉", "nickName": "Ben", "message": "你好"})
	want := []string{"Anna: Anna 加入了 大厅 🎉 房间", "Ben: Ben 加入了 大厅 🎉 房间", "Ben: 你好"}
	if got := spoken(anna.hears(3)); !slices.Equal(got, want) {
		t.Errorf("Anna hears %q, want %q", got, want)
	}
	if got := spoken(ben.hears(2)); !slices.Equal(got, want[1:]) {
		t.Errorf("Ben hears %q, want %q", got, want[1:])
	}
	if got := outside.settled(); len(got) != 1 {
		t.Errorf("outside hears %v", got)
	}
}

func spoken(all []line) (texts []string) {
	for _, l := range all {
		texts = append(texts, l.NickName+": "+l.Message)
	}
	return texts
}

func TestAMessageSaysWhoAndWhere(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	anna.join("hall", "Anna")
	anna.say("sendMessage", object{"room": "hall", "message": "hi"})
	got := anna.hears(2)
	joined, said := got[0], got[1]
	if joined.Kind != "join" || joined.Seq != 0 || joined.UserID == "" {
		t.Errorf("join line %+v", joined)
	}
	if said.Kind != "text" || said.Seq == 0 || said.GroupID == "" || said.UserID != joined.UserID || said.Room != "hall" || !said.Guest {
		t.Errorf("message %+v", said)
	}
}

func TestPlainGuestsHearMessageAndNothingElse(t *testing.T) {
	p := start(t)
	plain, full := p.dial(t), p.dial(t)
	plain.join("hall", "Anna")
	full.must("hello", object{"protocol": 1})
	group := groupOf(t, full.must("joinRoom", object{"roomName": "hall", "nickName": "Ben"}))
	sent := full.must("sendMessage", object{"groupId": group, "message": "hi", "clientId": "c"})
	var message struct{ Message line }
	sent.into(t, &message)
	full.must("readUpTo", object{"groupId": group, "seq": message.Message.Seq})
	full.must("typing", object{"groupId": group})
	full.must("sendMessage", object{"groupId": group, "message": "bye"})
	plain.await("the last line", func(all []event) bool { return strings.Contains(show(all), "bye") })
	events, _ := plain.events()
	for _, e := range events {
		if e.Name != "message" {
			t.Errorf("heard %s %s", e.Name, e.Body)
		}
	}
}

// groupOf is the id of the group that a joinRoom entered.
func groupOf(t *testing.T, r reply) string {
	t.Helper()
	var out struct{ Group struct{ GroupID string } }
	r.into(t, &out)
	return out.Group.GroupID
}

func TestTheJoinLineComesAtEachEntryOfAPlainGuest(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	for range 3 {
		anna.join("hall", "Anna")
	}
	if got := anna.settled(); len(got) != 3 {
		t.Errorf("got %v", spoken(got))
	}
}

// soon does something that has to be done within a time for which the server waits, in a room that is nobody's yet, and then
// looks at what came of it. Where a busy machine took longer it is done again.
func soon(t *testing.T, limit time.Duration, do func(room string) (look func())) {
	t.Helper()
	for try := range 20 {
		begin := time.Now()
		look := do(fmt.Sprint("hall ", try))
		if time.Since(begin) < limit {
			look()
			return
		}
	}
	t.Fatalf("not done within %s, however often", limit)
}

func TestWhatWasTypedTooEarlyWaitsAndArrivesInOrder(t *testing.T) {
	p := start(t)
	soon(t, 2*time.Second, func(room string) func() {
		anna, ben := p.dial(t), p.dial(t)
		anna.join(room, "Anna")
		for i := range 5 {
			ben.say("sendMessage", object{"room": room, "message": fmt.Sprint("early ", i)})
		}
		ben.join(room, "Ben")
		return func() {
			want := []string{
				"Anna: Anna 加入了 " + room + " 房间", "Ben: Ben 加入了 " + room + " 房间",
				"Ben: early 0", "Ben: early 1", "Ben: early 2", "Ben: early 3", "Ben: early 4",
			}
			if got := spoken(anna.hears(7)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestWhatWaitsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	anna := p.dial(t)
	begin := time.Now()
	anna.say("sendMessage", object{"room": "hall", "message": "hello?"})
	asked := anna.refused("sendMessage", object{"room": "hall", "message": "hello??"}, "NOT_IN_ROOM")
	if took := time.Since(begin); took < 1900*time.Millisecond {
		t.Errorf("refused after %v: %s", took, asked.Raw)
	}
	if got := anna.hears(1)[0]; got.Kind != "notice" || got.NickName != "系统" || got.Seq != 0 || got.Room != "hall" || got.Message == "" {
		t.Errorf("got %+v", got)
	}
	anna.join("hall", "Anna")
	if got := anna.settled(); len(got) != 2 {
		t.Errorf("what was refused arrives: %v", spoken(got))
	}
}

func TestOnlySoMuchWaits(t *testing.T) {
	p := start(t, "--limit-messages", "0")
	soon(t, 2*time.Second, func(room string) func() {
		byCount := p.dial(t)
		for i := range 33 {
			byCount.say("sendMessage", object{"room": room, "message": fmt.Sprint(i)})
		}
		first := byCount.hears(1)[0] // the 33rd, at once
		byCount.join(room, "Anna")
		return func() {
			if first.Kind != "notice" {
				t.Errorf("got %+v", first)
			}
			if got := byCount.hears(34); got[33].Message != "31" {
				t.Errorf("the last is %+v", got[33])
			}
		}
	})
	soon(t, 2*time.Second, func(room string) func() {
		bySize := p.dial(t)
		for range 3 {
			bySize.say("sendMessage", object{"room": room, "message": strings.Repeat("x", 30_000)})
		}
		first := bySize.hears(1)[0]
		return func() {
			if first.Kind != "notice" {
				t.Errorf("got %+v", first)
			}
		}
	})
}

func TestNoticesComeAtMostOnceInThreeSeconds(t *testing.T) {
	t.Parallel()
	p := start(t)
	soon(t, 3*time.Second, func(room string) func() {
		anna := p.dial(t)
		anna.join(room, "Anna")
		for range 10 {
			anna.say("sendMessage", object{"room": "elsewhere", "message": "x"})
		}
		got := anna.settled()
		return func() {
			if len(got) != 2 || got[1].Kind != "notice" {
				t.Fatalf("got %v", spoken(got))
			}
			time.Sleep(3100 * time.Millisecond) // the one thing that cannot be virtual over a real server
			anna.say("sendMessage", object{"room": "elsewhere", "message": "x"})
			if got := anna.hears(3); got[2].Kind != "notice" {
				t.Errorf("got %v", spoken(got))
			}
		}
	})
}

func TestEmptyAndOddMessagesAreRefusedWithoutANotice(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	anna.join("hall", "Anna")
	for _, message := range []any{"", nil, 7, true, object{"a": 1}, []any{"x"}} {
		anna.say("sendMessage", object{"room": "hall", "message": message})
		anna.refused("sendMessage", object{"room": "hall", "message": message}, "INVALID")
	}
	anna.say("sendMessage", object{"room": "hall"})
	if got := anna.settled(); len(got) != 1 {
		t.Errorf("got %v", spoken(got))
	}
}

func TestANameIsBoundAtTheFirstEntry(t *testing.T) {
	p := start(t)
	anna, ben := p.dial(t), p.dial(t)
	anna.join("hall", "Anna")
	ben.join("hall", "Ben")
	ben.say("sendMessage", object{"room": "hall", "nickName": "Anna", "userId": "someone", "message": "I am Anna"})
	ben.join("hall", "Anna")
	ben.say("sendMessage", object{"room": "hall", "nickName": "Anna", "message": "really"})
	got := anna.hears(5)
	for _, l := range got[1:] {
		if l.NickName != "Ben" || l.UserID != got[1].UserID {
			t.Errorf("got %+v", l)
		}
	}
}

func TestGuestsMayShareANameAndAreTwoPeople(t *testing.T) {
	p := start(t)
	one, two := p.dial(t), p.dial(t)
	one.join("hall", "Anna")
	two.join("hall", "Anna")
	got := one.hears(2)
	if got[0].NickName != got[1].NickName || got[0].UserID == got[1].UserID {
		t.Errorf("got %+v", got)
	}
}

func TestNamesAreMadeGoodOrMadeUp(t *testing.T) {
	p := start(t)
	for name, want := range map[any]string{
		"":                        `^访客\s?\d{4}$`,
		"   ":                     `^访客\s?\d{4}$`,
		7:                         `^访客\s?\d{4}$`,
		strings.Repeat("长", 100):  `^长{32}$`,
		"A\u0000n\u0007n\u202ea":  `^Anna$`,
		"  Anna  ":                `^Anna$`,
		"Anna（访客）":                `^Anna`,
		"系统":                      `（访客）$`,
		"👩‍👩‍👧‍👦 Familie":         `^👩‍👩‍👧‍👦 Familie$`,
		"<b>x</b>":                `^<b>x</b>$`,
		"</script><img src=x y=>": `.`,
	} {
		c := p.dial(t)
		c.say("joinRoom", object{"roomName": "hall", "nickName": name})
		if got := c.hears(1)[0].NickName; !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%q becomes %q, want %s", name, got, want)
		}
	}
	c := p.dial(t)
	c.say("joinRoom", object{"roomName": "hall"})
	if got := c.hears(1)[0].NickName; !regexp.MustCompile(`^访客\s?\d{4}$`).MatchString(got) {
		t.Errorf("a missing name becomes %q", got)
	}
}

func TestAMembersNameIsMarkedOrRefused(t *testing.T) {
	folder := t.TempDir()
	makeMember(t, folder, "林老师")
	p := start(t, "--data", folder)
	asking := p.dial(t)
	for _, name := range []string{"林老师", " 林老师 ", "林\u200b老师"} {
		plain := p.dial(t)
		plain.join("hall", name)
		plain.say("sendMessage", object{"room": "hall", "nickName": "林老师", "message": "试试"})
		if got := plain.hears(2); got[0].NickName != "林老师（访客）" || got[1].NickName != "林老师（访客）" || !got[1].Guest {
			t.Errorf("%q: got %+v", name, got)
		}
	}
	r := asking.refused("joinRoom", object{"roomName": "hall", "nickName": "林老师"}, "NAME_TAKEN")
	if r.Error.Suggestion == "" {
		t.Fatalf("got %s", r.Raw)
	}
	asking.must("joinRoom", object{"roomName": "hall", "nickName": r.Error.Suggestion})
}

func TestNobodySpeaksIntoARoomFromOutside(t *testing.T) {
	p := start(t)
	anna, mallory := p.dial(t), p.dial(t)
	group := groupOf(t, anna.must("joinRoom", object{"roomName": "hall", "nickName": "Anna"}))
	mallory.join("elsewhere", "Mallory")
	mallory.refused("sendMessage", object{"room": "hall", "message": "x"}, "NOT_IN_ROOM")
	mallory.refused("sendMessage", object{"room": "HALL", "message": "x"}, "NOT_IN_ROOM")
	mallory.refused("sendMessage", object{"groupId": group, "message": "x"}, "NOT_IN_ROOM")
	mallory.refused("sendMessage", object{"groupId": group, "message": "x", "clientId": "new"}, "NOT_IN_ROOM")
	mallory.refused("typing", object{"groupId": group}, "NOT_IN_ROOM")
	if got := anna.settled(); len(got) != 1 {
		t.Errorf("Anna hears %v", spoken(got))
	}
}

func TestOddRequestsAreAnsweredAndNothingBreaks(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	for _, payload := range []any{nil, 7, "hall", []any{}, true, object{"roomName": 7}, object{"roomName": ""}, object{"groupId": 7},
		object{"roomName": "a\u0000b"}, object{"roomName": strings.Repeat("长", 65)}, object{"groupId": "nobody"}, object{"roomName": object{}}} {
		r := anna.ask("joinRoom", payload)
		if r.OK || r.Error.Message == "" || r.Error.Code == "INTERNAL" {
			t.Errorf("joinRoom %v: got %s", payload, r.Raw)
		}
	}
	anna.join("hall", "Anna")
	for _, event := range []string{"sendMessage", "history", "sync", "readUpTo", "getUser", "getGroup", "hello"} {
		for _, payload := range []any{nil, 7, "x", []any{}, object{"groupId": object{}}, object{"groupId": "nobody", "seq": -5, "heads": object{"x": -1}, "userId": "nobody"}} {
			if r := anna.ask(event, payload); r.Error.Code == "INTERNAL" {
				t.Errorf("%s %v: got %s", event, payload, r.Raw)
			}
		}
	}
	if got := p.err.String(); strings.Contains(got, "panic") {
		t.Error(got)
	}
}

func TestRequestsThatAreNotBuiltAreAnswered(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	anna.join("hall", "Anna")
	for _, event := range []string{"editMessage", "search", "no such thing"} {
		anna.refused(event, object{}, "INVALID")
	}
	anna.say("no such thing", object{})
	if got := anna.settled(); len(got) != 1 {
		t.Errorf("got %v", spoken(got))
	}
}

func TestMessagesTooLongAreRefusedWithAReason(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	anna.join("hall", "Anna")
	anna.must("sendMessage", object{"room": "hall", "message": strings.Repeat("字", 8000)})
	anna.refused("sendMessage", object{"room": "hall", "message": strings.Repeat("字", 8001)}, "TOO_LARGE")
	anna.refused("sendMessage", object{"room": "hall", "message": "a\u0000b"}, "INVALID")
}

func TestAFloodIsStoppedAndAPauseCuresIt(t *testing.T) {
	p := start(t)
	anna := p.dial(t)
	anna.join("hall", "Anna")
	var r reply
	for range 200 {
		if r = anna.ask("sendMessage", object{"room": "hall", "message": "x"}); !r.OK {
			break
		}
	}
	if r.Error.Code != "RATE_LIMITED" || r.Error.RetryAfter <= 0 {
		t.Fatalf("got %s", r.Raw)
	}
	time.Sleep(time.Duration(r.Error.RetryAfter+50) * time.Millisecond)
	anna.must("sendMessage", object{"room": "hall", "message": "y"})
}
