package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/gateway"
)

func TestGroupsHearWhoComesAndGoes(t *testing.T) {
	h := open(t, gateway.Config{OfflineAfter: 50 * time.Millisecond})
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

// In all that tells me of myself I am here.
func TestWhoAsksIsHere(t *testing.T) {
	h := open(t, gateway.Config{})
	token, _ := h.signUp(t, "ben")
	ben := h.dialAs(t, token)
	wants(t, ben.ask("hello", object{"protocol": 1, "epoch": "another", "heads": object{}, "me": 0}), `"ok":true`)
	for _, got := range []string{
		ben.ask("hello", object{"protocol": 1, "epoch": "another", "heads": object{}, "me": 0}),
		ben.ask("sync", object{"epoch": "another", "heads": object{}, "me": 0}),
	} {
		wants(t, got, `"user":{`)
		if strings.Contains(got, `"presence":"offline"`) {
			t.Errorf("I am not here: %s", got)
		}
	}
	ben.ask("updateMe", object{"nickName": "Benjamin"})
	ben.hears(1, "me ", `"nickName":"Benjamin"`, `"presence":"online"`)
}

func TestAGroupHearsThatWhoWasAddedIsHere(t *testing.T) {
	h := open(t, gateway.Config{OfflineAfter: 20 * time.Millisecond})
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
	for offlineAfter := 300 * time.Millisecond; !comesBackInTime(t, offlineAfter); offlineAfter *= 3 {
	}
}

// comesBackInTime reports whether somebody was back so soon, and then wants it never to have been away.
func comesBackInTime(t *testing.T, offlineAfter time.Duration) bool {
	h := open(t, gateway.Config{OfflineAfter: offlineAfter})
	anna := h.member(t, "anna")
	anna.enter("hall", "")
	token, id := h.signUp(t, "ben")
	first := h.dialAs(t, token)
	first.enter("hall", "")
	anna.hears(1, "presence ", string(id), `"online"`)
	second := h.dialAs(t, token) // another tab
	second.ask("hello", map[string]int{"protocol": 1})
	began := time.Now()
	first.Close()
	second.Close()
	third := h.dialAs(t, token) // a reload
	third.ask("hello", map[string]int{"protocol": 1})
	if time.Since(began) >= offlineAfter {
		return false // on a busy machine
	}
	<-time.After(offlineAfter + offlineAfter/3) // longer than it takes to be away
	anna.hasHeard(1, "presence ", string(id))
	third.Close()
	anna.hears(1, "presence ", string(id), `"offline"`)
	return true
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

func TestWhoLooksElsewhereForAWhileIsAway(t *testing.T) {
	h := open(t, gateway.Config{AwayAfter: 50 * time.Millisecond, OfflineAfter: 20 * time.Millisecond})
	anna := h.member(t, "anna")
	anna.enter("hall", "")
	token, id := h.signUp(t, "ben")
	desk, phone := h.dialAs(t, token), h.dialAs(t, token)
	for _, p := range []*peer{desk, phone} {
		p.ask("hello", map[string]int{"protocol": 1})
	}
	desk.enter("hall", "")
	is := func() string { return anna.ask("presence", map[string]any{"userIds": []chat.UserID{id}}) }

	desk.ask("visible", map[string]bool{"on": false})
	for range 5 { // longer than it takes to be away
		time.Sleep(20 * time.Millisecond)
	}
	anna.hasHeard(0, `"away"`) // the phone never said that it does not look
	phone.ask("visible", map[string]bool{"on": false})
	anna.hears(1, "presence ", string(id), `"away"`)
	if got, want := is(), `{"ok":true,"online":["`+string(id)+`"],"away":["`+string(id)+`"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	wants(t, anna.ask("getUser", map[string]any{"userId": id}), `"presence":"away"`)

	phone.ask("visible", map[string]bool{"on": true})
	anna.hears(2, "presence ", string(id), `"online"`)
	phone.Close() // the one that looked
	anna.hears(2, "presence ", string(id), `"away"`)
	desk.Close()
	anna.hears(1, "presence ", string(id), `"offline"`)
	wants(t, is(), `"online":[]`, `"seen":{"`+string(id)+`":"`)
}

func TestWhenAGuestWasHereLastIsNotKept(t *testing.T) {
	h := open(t, gateway.Config{OfflineAfter: 20 * time.Millisecond})
	anna, guest := h.member(t, "anna"), h.dial(t)
	anna.enter("hall", "")
	guest.ask("hello", map[string]int{"protocol": 1})
	_, id := guest.enter("hall", "Gast")
	guest.Close()
	anna.hears(1, "presence ", string(id), `"offline"`)
	if got := anna.ask("presence", map[string]any{"userIds": []chat.UserID{id}}); got != `{"ok":true,"online":[]}` {
		t.Errorf("got %s", got)
	}
}

func TestWhoOpensASmallGroupLearnsHowFarTheOthersRead(t *testing.T) {
	h := open(t, gateway.Config{})
	anna, ben, outside := h.member(t, "anna"), h.member(t, "ben"), h.member(t, "otto")
	g, annaID := anna.enter("hall", "")
	_, benID := ben.enter("hall", "")
	seq := seqOf(t, anna.ask("sendMessage", map[string]any{"groupId": g, "message": "read this"}))
	ben.ask("readUpTo", map[string]any{"groupId": g, "seq": seq})
	wants(t, anna.ask("reads", map[string]any{"groupId": g}), fmt.Sprintf(`"%s":%d`, benID, seq), string(annaID))
	wants(t, outside.ask("reads", map[string]any{"groupId": g}), `"NOT_IN_ROOM"`)
	user, err := h.chat.User(t.Context(), annaID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.chat.Reads(t.Context(), user, g, 1); err == nil || !strings.Contains(err.Error(), "readBy") {
		t.Errorf("of a group that is too large: got %v", err)
	}
}
