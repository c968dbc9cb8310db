package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/gateway"
)

func TestGroupsHearWhoComesAndGoes(t *testing.T) {
	h := open(t, gateway.Config{AwayAfter: 50 * time.Millisecond})
	anna, plain, outside := h.member(t, "anna"), h.dial(t), h.member(t, "otto")
	anna.enter("hall", "")
	plain.enter("hall", "Petra")
	outside.enter("elsewhere", "")
	ben := h.dial(t)
	ben.ask("hello", map[string]int{"protocol": 1})
	_, benID := ben.enter("hall", "Ben")
	anna.hears(1, "presence ", string(benID), `"online"`)
	if got := anna.ask("presence", map[string]any{"userIds": []chat.UserID{benID, "nobody"}}); got != `{"ok":true,"online":["`+string(benID)+`"]}` {
		t.Errorf("got %s", got)
	}
	ben.Close()
	anna.hears(1, "presence ", string(benID), `"offline"`)
	plain.hasHeard(0, "presence ")
	outside.hasHeard(0, string(benID))
	wants(t, anna.ask("presence", map[string]any{"userIds": make([]string, 201)}), "TOO_LARGE")
}

func TestAGroupHearsThatWhoWasAddedIsHere(t *testing.T) {
	h := open(t, gateway.Config{AwayAfter: 20 * time.Millisecond})
	anna := h.member(t, "anna")
	token, id := h.signUp(t, "ben")
	ben := h.dialAs(t, token)
	ben.ask("hello", map[string]int{"protocol": 1})
	g, _ := anna.enter("hall", "")
	wants(t, anna.ask("addMembers", map[string]any{"groupId": g, "userIds": []chat.UserID{id}}), `"ok":true`)
	ben.hears(1, "me ", string(g))
	anna.hears(1, "presence ", string(id), `"online"`)
	wants(t, anna.ask("kick", map[string]any{"groupId": g, "userId": id}), `"ok":true`)
	ben.hears(1, "me ", `"kicked"`)
	ben.Close()
	for range 10 { // longer than it takes to be away
		time.Sleep(20 * time.Millisecond)
	}
	anna.hasHeard(1, "presence ") // whether he is here is no longer the group's to hear
}

func TestWhoComesBackInTimeWasNeverAway(t *testing.T) {
	h := open(t, gateway.Config{AwayAfter: 300 * time.Millisecond})
	anna := h.member(t, "anna")
	anna.enter("hall", "")
	token, id := h.signUp(t, "ben")
	first := h.dialAs(t, token)
	first.enter("hall", "")
	anna.hears(1, "presence ", string(id), `"online"`)
	second := h.dialAs(t, token) // another tab
	second.ask("hello", map[string]int{"protocol": 1})
	first.Close()
	second.Close()
	third := h.dialAs(t, token) // a reload
	third.ask("hello", map[string]int{"protocol": 1})
	for range 20 { // longer than it takes to be away
		time.Sleep(20 * time.Millisecond)
	}
	anna.hasHeard(1, "presence ", string(id))
	third.Close()
	anna.hears(1, "presence ", string(id), `"offline"`)
}

func TestSmallGroupsHearWhoHasRead(t *testing.T) {
	h := open(t, gateway.Config{ReadsEvery: 20 * time.Millisecond})
	anna, ben, outside := h.member(t, "anna"), h.member(t, "ben"), h.member(t, "otto")
	g, _ := anna.enter("hall", "")
	_, benID := ben.enter("hall", "")
	outside.enter("elsewhere", "")
	seq := seqOf(t, anna.ask("sendMessage", map[string]any{"groupId": g, "message": "read this"}))
	for range 3 {
		ben.ask("readUpTo", map[string]any{"groupId": g, "seq": seq})
	}
	anna.hears(1, "read {", fmt.Sprintf(`{"groupId":"%s","seqs":{"%s":%d}}`, g, benID, seq))
	for range 5 {
		time.Sleep(20 * time.Millisecond)
	}
	anna.hasHeard(1, "read {")
	outside.hasHeard(0, "read {")
	wants(t, anna.ask("readBy", map[string]any{"groupId": g, "seq": seq}), `"members":[{`, string(benID))
	wants(t, outside.ask("readBy", map[string]any{"groupId": g, "seq": seq}), `"NOT_IN_ROOM"`)
}

func TestAMembershipIsChangedOnAllMyDevices(t *testing.T) {
	h := open(t, gateway.Config{})
	anna := h.member(t, "anna")
	token, id := h.signUp(t, "ben")
	phone, desk := h.dialAs(t, token), h.dialAs(t, token)
	for _, p := range []*peer{phone, desk} {
		p.ask("hello", map[string]int{"protocol": 1})
	}
	g, _ := anna.enter("hall", "")
	phone.enter("hall", "")
	wants(t, phone.ask("updateMembership", map[string]any{"groupId": g, "draft": "half", "notify": "mentions", "pinned": true}),
		`"groupId":"`+string(g), `"draft":"half"`, `"notify":"mentions"`, `"pinned":true`)
	desk.hears(1, "me ", `"draft":"half"`)
	wants(t, phone.ask("updateMembership", map[string]any{"groupId": g, "groupNick": "老王"}), `"groupNick":"老王"`)
	anna.hears(1, "change ", `"groupNick":"老王"`, string(id))
	anna.hasHeard(0, "half")
	wants(t, desk.ask("hello", map[string]int{"protocol": 1}), `"draft":"half"`)
}
