package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/gateway"
)

func TestTheDigestTellsChangedGroupsOnceToFullClients(t *testing.T) {
	h := open(t, gateway.Config{DigestEvery: 20 * time.Millisecond})
	full, plain, outside := h.dial(t), h.dial(t), h.dial(t)
	full.ask("hello", map[string]int{"protocol": 1})
	outside.ask("hello", map[string]int{"protocol": 1})
	group, _ := full.enter("hall", "Anna")
	plain.enter("hall", "Ben")
	outside.enter("elsewhere", "Otto")
	full.ask("sendMessage", map[string]any{"groupId": group, "message": "x"})
	full.hears(1, "heads ", string(group), h.chat.Epoch())
	heads, err := h.chat.Heads(t.Context(), []chat.GroupID{group})
	if err != nil {
		t.Fatal(err)
	}
	full.hears(1, "heads ", fmt.Sprintf(`"heads":{"%s":%d}}`, group, heads[group]))
	told, _ := full.count("heads ")
	for range 5 { // nothing changes any more, so no later digest says anything
		time.Sleep(20 * time.Millisecond)
	}
	if now, _ := full.count("heads "); now > told {
		t.Errorf("an unchanged group was told %d times more", now-told)
	}
	plain.hasHeard(0, "heads ")
	outside.hasHeard(0, string(group))
}

func TestWhoIsRemovedHearsNothingOfTheGroupAnyMore(t *testing.T) {
	h := open(t, gateway.Config{})
	stays, goes := h.dial(t), h.dial(t)
	stays.ask("hello", map[string]int{"protocol": 1})
	goes.ask("hello", map[string]int{"protocol": 1})
	group, _ := stays.enter("hall", "Anna")
	_, kicked := goes.enter("hall", "Ben")
	h.hub.Notify(chat.Event{Group: group, Number: 7, Change: &chat.Change{
		GroupID: group, Head: 7, Kind: chat.ChangeMember,
		Member: &chat.Member{GroupID: group, UserID: kicked, State: chat.MemberKicked, Role: chat.RoleMember},
	}})
	h.hub.Notify(chat.Event{User: kicked, Number: 1, Me: &chat.MeChange{Head: 1, Left: &chat.Left{GroupID: group, Reason: chat.GoneKicked}}})
	h.hub.Notify(chat.Event{Group: group, Number: 8, Message: &chat.Message{GroupID: group, Seq: 8, Text: "about you"}})
	stays.hasHeard(1, "change ", `"state":"kicked"`)
	stays.hasHeard(1, "about you")
	goes.hasHeard(0, "change ")
	goes.hasHeard(0, "about you")
	goes.hasHeard(1, "me ", `"reason":"kicked"`)
	if got := goes.ask("sendMessage", map[string]any{"room": "hall", "message": "x"}); !strings.Contains(got, "NOT_IN_ROOM") {
		t.Errorf("got %s", got)
	}
}

func TestWhoLostAGroupIsOutThoughTheGroupHearsNothing(t *testing.T) {
	h := open(t, gateway.Config{})
	plain, full := h.dial(t), h.dial(t)
	group, _ := plain.enter("hall", "Anna")
	full.ask("hello", map[string]int{"protocol": 1})
	_, lost := full.enter("hall", "Ben")
	h.hub.Notify(chat.Event{User: lost, Number: 1, Me: &chat.MeChange{Head: 1, Left: &chat.Left{GroupID: group, Reason: chat.GoneLeft}}})
	h.hub.Notify(chat.Event{Group: group, Number: 8, Message: &chat.Message{GroupID: group, Seq: 8, Text: "without you"}})
	plain.hasHeard(1, "without you")
	full.hasHeard(0, "without you")
	full.hasHeard(1, "me ", `"reason":"left"`)
}

// The events of a group and of a user come on ways of their own: what is older than the last way out does not lead in, and
// what is older than the last way in does not lead out.
func TestOlderEventsOfTheOtherWayChangeNothing(t *testing.T) {
	h := open(t, gateway.Config{})
	full := h.dial(t)
	full.ask("hello", map[string]int{"protocol": 1})
	group, me := full.enter("hall", "Ben")
	state := func(rev chat.Seq, state chat.MemberState) {
		h.hub.Notify(chat.Event{Group: group, Number: rev, Change: &chat.Change{
			GroupID: group, Head: rev, Kind: chat.ChangeMember,
			Member: &chat.Member{GroupID: group, UserID: me, Rev: rev, State: state, Role: chat.RoleMember},
		}})
	}
	in := func(head, rev chat.Seq) {
		h.hub.Notify(chat.Event{User: me, Number: head, Me: &chat.MeChange{Head: head, Rev: rev, Group: &chat.GroupState{GroupID: group, Me: &chat.GroupMe{}}}})
	}
	out := func(head, rev chat.Seq) {
		h.hub.Notify(chat.Event{User: me, Number: head, Me: &chat.MeChange{Head: head, Rev: rev, Left: &chat.Left{GroupID: group, Reason: chat.GoneKicked}}})
	}
	say := func(text string) {
		h.hub.Notify(chat.Event{Group: group, Number: 99, Message: &chat.Message{GroupID: group, Seq: 99, Text: text}})
	}
	state(10, chat.MemberKicked)
	in(1, 9) // of the joining before the kick
	say("without you")
	out(2, 10)
	in(3, 11) // joined again
	out(4, 10)
	say("with you")
	full.hasHeard(0, "without you")
	full.hasHeard(1, "with you")
}

func TestPrivateRowsReachTheUsersFullClientsAlone(t *testing.T) {
	h := open(t, gateway.Config{})
	mine, other := h.dial(t), h.dial(t)
	mine.ask("hello", map[string]int{"protocol": 1})
	other.ask("hello", map[string]int{"protocol": 1})
	group, me := mine.enter("hall", "Anna")
	other.enter("hall", "Ben")
	h.hub.Notify(chat.Event{User: me, Number: 3, Me: &chat.MeChange{Head: 3, Group: &chat.GroupState{GroupID: group, Me: &chat.GroupMe{ReadSeq: 9}}}})
	mine.hasHeard(1, "me ", `"head":3`, `"readSeq":9`)
	other.hasHeard(0, "me ")
}

func TestARenamedUserSpeaksUnderTheNewName(t *testing.T) {
	h := open(t, gateway.Config{})
	mine, other := h.dial(t), h.dial(t)
	group, me := mine.enter("hall", "Anna")
	other.enter("hall", "Ben")
	h.hub.Notify(chat.Event{User: me, Number: 3, Me: &chat.MeChange{Head: 3, User: &chat.User{ID: me, NickName: "Anne", Guest: true}}})
	mine.ask("sendMessage", map[string]any{"groupId": group, "message": "it is me"})
	other.hears(1, "it is me", `"nickName":"Anne"`)
}

func TestASocketEntersOnlySoManyRooms(t *testing.T) {
	h := open(t, gateway.Config{})
	c := h.dial(t)
	for i := range 5 {
		c.enter(fmt.Sprint("room ", i), "Anna")
	}
	if got := c.ask("joinRoom", map[string]string{"roomName": "one too many"}); !strings.Contains(got, "TOO_LARGE") {
		t.Errorf("got %s", got)
	}
	c.enter("room 3", "Anna") // is in it already
}

func TestPushesAndOutcomesAreCounted(t *testing.T) {
	counts := &tally{}
	h := open(t, gateway.Config{Observer: counts})
	c := h.dial(t)
	group, _ := c.enter("hall", "Anna")
	c.ask("sendMessage", map[string]any{"groupId": group, "message": "x"})
	c.ask("sendMessage", map[string]any{"groupId": group, "message": ""})
	c.ask("no such thing", nil)
	c.hears(1, `"message":"x"`)
	for what, want := range map[string]int{"joinRoom ok": 1, "sendMessage ok": 1, "sendMessage INVALID": 1, "other INVALID": 1} {
		if got := counts.of(what); got != want {
			t.Errorf("%s: counted %d, want %d", what, got, want)
		}
	}
	if got := counts.of("pushed message"); got != 2 {
		t.Errorf("counted %d messages, want the join line and one more", got)
	}
}

func TestARequestThatIsNoBotsIsNotOpenToEveryBot(t *testing.T) {
	for _, name := range open(t, gateway.Config{}).gateway.Requests() {
		scope := gateway.ScopeOf(name)
		switch {
		case strings.HasPrefix(name, "get"), name == "hello", name == "history", name == "sync":
			if scope != auth.ScopeRead {
				t.Errorf("%s needs %s", name, scope)
			}
		case name == "sendMessage", name == "typing":
			if scope != auth.ScopeSend {
				t.Errorf("%s needs %s", name, scope)
			}
		}
	}
	if gateway.ScopeOf("no such request") != auth.ScopeManage {
		t.Error("a request nobody thought of is open to bots that only read")
	}
}

func TestAGuestRenamesItselfAndKeepsItsID(t *testing.T) {
	h := open(t, gateway.Config{})
	mine, other := h.dial(t), h.dial(t)
	group, me := mine.enter("hall", "Anna")
	other.enter("hall", "Ben")
	got := mine.ask("updateMe", map[string]string{"nickName": "Anne"})
	if !strings.Contains(got, `"nickName":"Anne"`) || !strings.Contains(got, string(me)) || !strings.Contains(got, `"token":"g.`) {
		t.Errorf("got %s", got)
	}
	mine.ask("sendMessage", map[string]any{"groupId": group, "message": "it is me"})
	other.hears(1, "it is me", `"nickName":"Anne"`, string(me))
	if got := mine.ask("updateMe", map[string]any{"settings": map[string]int{"a": 1}}); strings.Contains(got, `"error"`) {
		t.Errorf("settings of a guest that spoke: got %s", got)
	}
	if got := mine.ask("updateMe", map[string]any{"settings": "x"}); !strings.Contains(got, "INVALID") {
		t.Errorf("got %s", got)
	}
}
