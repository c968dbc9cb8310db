package gateway_test

import (
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/gateway"
)

func TestAnInviteIsShownToWhoHoldsItAndLetsIn(t *testing.T) {
	c := gather(t)
	boss, bob := c.member("boss"), c.member("bob")
	g := boss.group(object{"name": "书友会", "topic": "novels"})
	token := field[string](t, boss.wants("", "invite", in(g, object{"maxUses": 1})), "invite", "token")
	nobody := c.dial(t)
	shown := nobody.ask("inviteInfo", object{"token": token})
	for _, want := range []string{`"name":"书友会"`, `"nickName":"boss"`, `"memberCount":1`, `"guests":false`} {
		if !strings.Contains(shown, want) {
			t.Errorf("shown is %s, without %s", shown, want)
		}
	}
	if got := nobody.ask("inviteInfo", object{"token": token + "x"}); codeOf(t, got) != chat.CodeNotFound {
		t.Errorf("a guess: got %s", got)
	}
	if got := nobody.ask("joinByInvite", object{"token": token, "nickName": "Gus"}); codeOf(t, got) != chat.CodeForbidden {
		t.Errorf("a guest in a private group: got %s", got)
	}
	joined := bob.wants("", "joinByInvite", object{"token": token})
	if id := field[chat.GroupID](t, joined, "group", "groupId"); id != g || !strings.Contains(joined, "加入了") {
		t.Errorf("joined %s", joined)
	}
	boss.hears(1, "message ", "bob 加入了 书友会 房间")
	c.member("carol").wants(chat.CodeNotFound, "joinByInvite", object{"token": token})
	if got := boss.wants("", "invites", in(g)); strings.Contains(got, token) {
		t.Errorf("one that is used up is listed: %s", got)
	}
}

func TestInvitesEndWithTheRightToInvite(t *testing.T) {
	c := gather(t)
	boss, admin, carol := c.member("boss"), c.member("admin"), c.member("carol")
	g := boss.group(object{"name": "club", "members": []chat.UserID{admin.id}})
	boss.wants("", "setRole", in(g, object{"userId": admin.id, "role": "admin"}))
	invite := admin.wants("", "invite", in(g))
	token := object{"token": field[string](t, invite, "invite", "token")}
	if got := boss.wants("", "invites", in(g)); !strings.Contains(got, token["token"].(string)) {
		t.Errorf("the owner does not see it: %s", got)
	}
	carol.wants("", "inviteInfo", token)
	boss.wants("", "setRole", in(g, object{"userId": admin.id, "role": "member"}))
	carol.wants(chat.CodeNotFound, "inviteInfo", token)
	carol.wants(chat.CodeNotFound, "joinByInvite", token)
	boss.wants("", "setRole", in(g, object{"userId": admin.id, "role": "admin"}))
	carol.wants("", "inviteInfo", token)
	boss.wants("", "kick", in(g, object{"userId": admin.id}))
	carol.wants(chat.CodeNotFound, "joinByInvite", token)

	own := boss.wants("", "invite", in(g))
	second := object{"token": field[string](t, own, "invite", "token")}
	revoke := in(g, object{"inviteId": field[string](t, own, "invite", "inviteId")})
	carol.wants("", "joinByInvite", second)
	carol.wants(chat.CodeNotFound, "revokeInvite", revoke)
	boss.wants("", "revokeInvite", revoke)
	boss.wants("", "revokeInvite", revoke)
	c.member("dave").wants(chat.CodeNotFound, "joinByInvite", second)
	boss.wants(chat.CodeInvalid, "invite", in(g, object{"expiresAt": "2001-01-01T00:00:00.000Z"}))
	boss.wants(chat.CodeInvalid, "invite", in(g, object{"maxUses": -1}))
}

func TestAGuestComesInByInviteWhereGuestsMay(t *testing.T) {
	c := gather(t)
	boss := c.member("boss")
	g := boss.group(object{"name": "hall", "visibility": "open"})
	token := field[string](t, boss.wants("", "invite", in(g)), "invite", "token")
	page := c.dial(t)
	answer := page.ask("joinByInvite", object{"token": token, "nickName": "Gus"})
	if codeOf(t, answer) != "" || field[string](t, answer, "token") == "" || field[string](t, answer, "me", "nickName") != "Gus" {
		t.Errorf("got %s", answer)
	}
	page.ask("sendMessage", object{"groupId": g, "message": "hello"})
	boss.hears(1, "message ", `"nickName":"Gus"`, "hello")
}

func TestLooksAtInvitesAreLimited(t *testing.T) {
	c := &crowd{openWith(t, gateway.Config{}, chat.Config{}), t, 0}
	nobody := c.dial(t)
	refused := 0
	for range 20 {
		if codeOf(t, nobody.ask("inviteInfo", object{"token": "guess"})) == chat.CodeRateLimited {
			refused++
		}
	}
	if refused == 0 {
		t.Error("somebody unknown may guess as fast as it can")
	}
}

func TestWhoWantsInWaitsUntilAnAdminDecides(t *testing.T) {
	c := gather(t)
	boss, bob, eve := c.member("boss"), c.member("bob"), c.member("eve")
	phone := c.come(bob)
	g := boss.group(object{"name": "club", "visibility": "public", "joining": "approval"})
	head := func() chat.Seq { return field[chat.Seq](t, boss.wants("", "getGroup", in(g)), "group", "head") }
	before := head()
	for range 2 { // asking again changes nothing
		if got := bob.wants("", "joinRoom", in(g, object{"text": "it is me"})); !strings.Contains(got, `"pending":true`) || strings.Contains(got, "messages") {
			t.Errorf("got %s", got)
		}
	}
	eve.wants("", "joinRoom", object{"roomName": "club"})
	phone.hears(1, "me ", `"pending":`, `"state":"waiting"`)
	boss.hears(1, "me ", `"requests":2`)
	if got := phone.ask("hello", object{"protocol": 1}); !strings.Contains(got, `"pending":[{`) {
		t.Errorf("hello: got %s", got)
	}
	list := boss.wants("", "joinRequests", in(g))
	if !strings.Contains(list, "it is me") || !strings.Contains(list, `"nickName":"eve"`) {
		t.Errorf("waiting are %s", list)
	}
	if now := head(); now != before {
		t.Errorf("requests took %d numbers of the group", now-before)
	}
	boss.wants("", "approve", in(g, object{"userId": bob.id}))
	boss.wants("", "approve", in(g, object{"userId": eve.id, "on": false}))
	boss.wants(chat.CodeNotFound, "approve", in(g, object{"userId": eve.id}))
	for _, p := range []*person{bob, phone} {
		p.hears(1, "me ", `"state":"approved"`)
		p.hears(1, "me ", `"group":`, string(g))
		if got := p.wants("", "history", in(g)); !strings.Contains(got, "bob 加入了 club 房间") { // its push may come before bob's own number lets him in
			t.Errorf("the history is %s", got)
		}
	}
	bob.wants("", "sendMessage", in(g, object{"message": "thanks"}))
	eve.hears(1, "me ", `"state":"rejected"`)
	eve.hasHeard(0, "thanks")
	boss.hears(1, "me ", `"group":`, `"role":"owner"`)
	eve.wants("", "joinRoom", in(g)) // again
	eve.wants("", "leaveGroup", in(g))
	eve.hears(1, "me ", `"state":"withdrawn"`)
	if got := boss.wants("", "joinRequests", in(g)); strings.Contains(got, "eve") {
		t.Errorf("still waiting: %s", got)
	}
}

func TestAPlainMembersInviteAsksForApproval(t *testing.T) {
	c := gather(t)
	boss, bob := c.member("boss"), c.member("bob")
	g := boss.group(object{"name": "club", "joining": "approval", "members": []chat.UserID{bob.id}})
	byBob := object{"token": field[string](t, bob.wants("", "invite", in(g)), "invite", "token")}
	byBoss := object{"token": field[string](t, boss.wants("", "invite", in(g)), "invite", "token")}
	carol := c.member("carol")
	if got := carol.wants("", "joinByInvite", byBob); !strings.Contains(got, `"pending":true`) {
		t.Errorf("by a member: got %s", got)
	}
	carol.wants(chat.CodeNotFound, "getGroup", in(g))
	if got := carol.wants("", "joinByInvite", byBoss); strings.Contains(got, "pending") {
		t.Errorf("by the owner: got %s", got)
	}
	carol.hears(1, "me ", `"state":"approved"`) // its wish came true
	boss.wants(chat.CodeNotFound, "approve", in(g, object{"userId": carol.id}))
}
