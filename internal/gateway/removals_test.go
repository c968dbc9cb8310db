package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"qun/internal/chat"
)

// TestNothingOfTheKickedIsStoredAfterTheKick lets somebody speak on several sockets as fast as they can while they are
// kicked, as a member and as a guest: nothing of them has a number after that of the kick, and they hear nothing after it.
func TestNothingOfTheKickedIsStoredAfterTheKick(t *testing.T) {
	for round := range 6 {
		c := gather(t)
		boss := c.member("boss")
		g := boss.group(object{"name": "hall", "visibility": "open"})
		first := c.member("eve")
		if round%2 == 1 {
			first = c.guest("eve")
		}
		sockets := []*person{first, c.come(first), c.come(first)}
		for _, p := range sockets {
			p.wants("", "joinRoom", in(g))
		}
		boss.wants("", "joinRoom", in(g))
		var senders sync.WaitGroup
		var stop atomic.Bool
		for i, p := range sockets {
			senders.Go(func() {
				for n := 0; !stop.Load(); n++ {
					if _, err := p.Call(t.Context(), "sendMessage", in(g, object{"message": fmt.Sprintf("%d-%d", i, n)})); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		boss.hears(20*(round+1), "message ", `"kind":"text"`)
		kicked := field[chat.Seq](t, boss.wants("", "kick", in(g, object{"userId": first.id})), "member", "rev")
		for _, p := range sockets {
			p.wants(chat.CodeNotInRoom, "sendMessage", object{"room": "hall", "message": "after"})
		}
		stop.Store(true)
		senders.Wait()
		page := field[[]chat.Message](t, boss.wants("", "history", in(g, object{"limit": 100})), "messages")
		for _, m := range page {
			if m.UserID == first.id && m.Seq > kicked {
				t.Errorf("round %d: message %d is stored, after the kick at %d", round, m.Seq, kicked)
			}
		}
		for i, p := range sockets {
			p.hasHeard(1, "me ", `"reason":"kicked"`)
			p.checkSilence(fmt.Sprintf("round %d, socket %d", round, i), kicked)
		}
	}
}

// checkSilence fails if p heard of a number of a group from kicked on.
func (p *person) checkSilence(where string, kicked chat.Seq) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.heard {
		name, body, _ := strings.Cut(e, " ")
		var row struct{ Seq, Head chat.Seq }
		if name != "message" && name != "change" {
			continue
		}
		if err := json.Unmarshal([]byte(body), &row); err != nil {
			p.t.Fatal(err)
		}
		if max(row.Seq, row.Head) >= kicked {
			p.t.Errorf("%s heard %s, after the kick at %d", where, e, kicked)
		}
	}
}

// TestEnteringRacingWithAKickLeavesNobodyInTheRoom kicks while sockets enter: who lost hears nothing that comes later.
func TestEnteringRacingWithAKickLeavesNobodyInTheRoom(t *testing.T) {
	c := gather(t)
	boss := c.member("boss")
	g := boss.group(object{"name": "hall", "visibility": "public", "joining": "open"})
	for round := range 20 {
		eve := c.member("eve" + strings.Repeat("e", round))
		boss.wants("", "addMembers", in(g, object{"userIds": []chat.UserID{eve.id}}))
		other := c.come(eve)
		var both sync.WaitGroup
		for _, p := range []*person{eve, other} {
			both.Go(func() {
				for range 5 {
					if _, err := p.Call(t.Context(), "joinRoom", in(g)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		boss.wants("", "ban", in(g, object{"userId": eve.id}))
		both.Wait()
		text := fmt.Sprint("without eve ", round)
		boss.wants("", "sendMessage", in(g, object{"message": text}))
		eve.hasHeard(0, text)
		other.hasHeard(0, text)
	}
}

func TestAKickedGuestStaysOutByTokenAndElseByNameAndAddress(t *testing.T) {
	c := gather(t)
	boss := c.member("boss")
	g := boss.group(object{"name": "hall", "visibility": "open"})
	page := c.dial(t)
	_, id := page.enter("hall", "Troll")
	if id == "" {
		t.Fatal("nobody entered")
	}
	answer := boss.wants("", "kick", in(g, object{"userId": id}))
	if state := field[string](t, answer, "member", "state"); state != "kicked" {
		t.Errorf("got %s", answer)
	}
	page.ask("sendMessage", object{"room": "hall", "message": "still here?"})
	boss.hasHeard(0, "still here?")
	enter := func(name string) string {
		return c.dial(t).ask("joinRoom", object{"roomName": "hall", "nickName": name})
	}
	if got := page.ask("joinRoom", object{"roomName": "hall"}); codeOf(t, got) != chat.CodeForbidden {
		t.Errorf("the same socket: got %s", got)
	}
	if got := enter("Ｔroll"); codeOf(t, got) != chat.CodeForbidden {
		t.Errorf("the same name from the same address: got %s", got)
	}
	if got := enter("Trudy"); codeOf(t, got) != "" {
		t.Errorf("another name: got %s", got)
	}
	if got := c.dial(t).ask("joinRoom", object{"roomName": "elsewhere", "nickName": "Troll"}); codeOf(t, got) != "" {
		t.Errorf("another room: got %s", got)
	}
	boss.wants("", "unban", in(g, object{"userId": id}))
	if got := enter("Troll"); codeOf(t, got) != "" {
		t.Errorf("unbanned: got %s", got)
	}
}

func TestClosingAGroupSendsVisitorsAwayFirst(t *testing.T) {
	c := gather(t)
	boss := c.member("boss")
	g := boss.group(object{"name": "hall", "visibility": "open"})
	quiet, speaker, plain := c.guest("quiet"), c.guest("speaker"), c.dial(t)
	quiet.wants("", "joinRoom", in(g))
	speaker.wants("", "joinRoom", in(g))
	speaker.wants("", "sendMessage", in(g, object{"message": "hello"}))
	plain.enter("hall", "Paula")
	boss.wants("", "updateGroup", in(g, object{"visibility": "private"}))
	boss.wants("", "sendMessage", in(g, object{"message": "among ourselves"}))
	speaker.hears(1, "among ourselves")
	quiet.hasHeard(0, "among ourselves")
	quiet.hasHeard(0, "change ", `"visibility":"private"`)
	quiet.hasHeard(1, "me ", `"left":`, `"kicked"`)
	plain.hasHeard(0, "among ourselves")
	quiet.wants(chat.CodeNotFound, "getGroup", in(g))
	if got := plain.ask("sendMessage", object{"room": "hall", "message": "x"}); codeOf(t, got) != chat.CodeNotInRoom {
		t.Errorf("got %s", got)
	}
	other := c.member("other")
	fresh := field[chat.GroupID](t, other.wants("", "joinRoom", object{"roomName": "hall"}), "group", "groupId")
	if fresh == g {
		t.Error("the address still leads to the private group")
	}
	if got := boss.wants(chat.CodeNameTaken, "updateGroup", in(g, object{"visibility": "public"})); !strings.Contains(got, `"suggestion":"hall 2"`) {
		t.Errorf("got %s", got)
	}
	boss.wants("", "updateGroup", in(g, object{"visibility": "public", "room": "hall 2"}))
}

func TestADissolvedGroupEndsForEverybodyAtOnce(t *testing.T) {
	c := gather(t)
	boss := c.member("boss")
	g := boss.group(object{"name": "hall", "visibility": "open"})
	people := []*person{boss}
	for i := range 8 {
		p := c.member(fmt.Sprintf("user%c", 'a'+i))
		p.wants("", "joinRoom", in(g))
		people = append(people, p)
	}
	quiet, plain := c.guest("quiet"), c.dial(t)
	quiet.wants("", "joinRoom", in(g))
	plain.enter("hall", "Paula")
	last := people[3]
	head := field[chat.Seq](t, last.wants("", "getGroup", in(g)), "group", "head")
	boss.wants("", "dissolveGroup", in(g))
	for _, p := range append(people, quiet) {
		p.hasHeard(1, "me ", `"reason":"dissolved"`)
		p.wants(chat.CodeNotFound, "getGroup", in(g))
	}
	plain.hasHeard(1, `"act":"dissolve"`)
	if got := last.wants("", "sync", object{"epoch": c.chat.Epoch(), "heads": object{string(g): head}}); !strings.Contains(got, `"gone":"dissolved"`) {
		t.Errorf("sync: got %s", got)
	}
	if got := c.come(last).ask("hello", object{"protocol": 1}); strings.Contains(got, string(g)) {
		t.Errorf("hello: got %s", got)
	}
	if fresh := field[chat.GroupID](t, last.wants("", "joinRoom", object{"roomName": "hall"}), "group", "groupId"); fresh == g {
		t.Error("the address is not free")
	}
}
