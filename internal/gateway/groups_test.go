package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"qun/internal/chat"
)

func TestAGroupIsMadeWithItsMembers(t *testing.T) {
	c := gather(t)
	boss, bob, blocker, guest := c.member("boss"), c.member("bob"), c.member("blocker"), c.guest("guest")
	blocker.wants("", "block", object{"userId": boss.id})
	answer := boss.wants("", "createGroup", object{"name": " 读书 ", "members": []chat.UserID{bob.id, bob.id, blocker.id, guest.id, "nobody", boss.id}})
	g := field[chat.GroupID](t, answer, "group", "groupId")
	for _, want := range []string{`"name":"读书"`, `"visibility":"private"`, `"joining":"invite"`, `"memberCount":2`, `"role":"owner"`} {
		if !strings.Contains(answer, want) {
			t.Errorf("made %s, without %s", answer, want)
		}
	}
	bob.hears(1, "me ", `"group":`, string(g))
	boss.wants("", "sendMessage", in(g, object{"message": "hello"}))
	bob.hears(1, "message ", "hello")
	guest.wants(chat.CodeForbidden, "createGroup", object{"name": "x"})
	boss.wants(chat.CodeInvalid, "createGroup", object{"name": "  "})
	boss.wants(chat.CodeInvalid, "createGroup", object{"name": "x", "visibility": "open", "joining": "approval"})
	boss.wants(chat.CodeInvalid, "createGroup", object{"name": "x", "visibility": "secret"})
	boss.wants("", "createGroup", object{"name": "大厅", "visibility": "public"})
	if got := boss.wants(chat.CodeNameTaken, "createGroup", object{"name": "another", "room": " 大厅", "visibility": "open"}); !strings.Contains(got, `"suggestion":"大厅 2"`) {
		t.Errorf("got %s", got)
	}
	once := object{"name": "once", "clientId": "c1"}
	made := field[chat.GroupID](t, boss.wants("", "createGroup", once), "group", "groupId")
	if got := boss.wants("", "createGroup", once); !strings.Contains(got, string(made)) || !strings.Contains(got, `"duplicate":true`) {
		t.Errorf("asked again: got %s, want %s", got, made)
	}
	boss.wants(chat.CodeConflict, "createGroup", object{"name": "twice", "clientId": "c1"})
}

func TestAChangeOfAGroupIsToldOnceAndNoChangeNever(t *testing.T) {
	c := gather(t)
	boss, bob := c.member("boss"), c.member("bob")
	g := boss.group(object{"name": "club", "visibility": "public", "joining": "open"})
	bob.wants("", "joinRoom", in(g))
	update := in(g, object{"name": "Club 2", "slowMode": 30, "announcement": "Welcome!"})
	for range 2 {
		boss.wants("", "updateGroup", update)
	}
	bob.hasHeard(1, "change ", `"kind":"group"`, `"name":"Club 2"`, `"slowMode":30`, `"room":"club"`)
	bob.hasHeard(1, "message ", `"act":"name"`, `"value":"Club 2"`)
	bob.hasHeard(1, "message ", `"act":"slowMode"`)
	bob.hasHeard(1, "message ", `"act":"announcement"`)
	bob.hasHeard(0, "message ", `"act":"topic"`)
	if again := field[chat.GroupID](t, bob.wants("", "joinRoom", object{"roomName": "CLUB"}), "group", "groupId"); again != g {
		t.Error("a rename changed the address")
	}
	bob.wants("", "sendMessage", in(g, object{"message": "one"}))
	if got := bob.wants(chat.CodeSlowMode, "sendMessage", in(g, object{"message": "two"})); !strings.Contains(got, "retryAfter") {
		t.Errorf("got %s", got)
	}
	boss.wants("", "sendMessage", in(g, object{"message": "one"}))
	boss.wants("", "sendMessage", in(g, object{"message": "two"}))
	boss.wants(chat.CodeInvalid, "updateGroup", in(g, object{"room": "other"}))
	boss.wants(chat.CodeInvalid, "updateGroup", in(g, object{"slowMode": -1}))
	boss.wants(chat.CodeTooLarge, "updateGroup", in(g, object{"topic": strings.Repeat("长", 501)}))
}

func TestMutesSilenceOneOrAll(t *testing.T) {
	c := gather(t)
	boss, bob, ann := c.member("boss"), c.member("bob"), c.member("ann")
	g := boss.group(object{"name": "club", "members": []chat.UserID{bob.id, ann.id}})
	speaks := func(p *person, code chat.Code) string {
		t.Helper()
		return p.wants(code, "sendMessage", in(g, object{"message": "hello"}))
	}
	boss.wants("", "mute", in(g, object{"userId": bob.id, "until": "2999-01-01T00:00:00.000Z"}))
	if got := speaks(bob, chat.CodeMuted); !strings.Contains(got, `"until":"2999-01-01T00:00:00.000Z"`) {
		t.Errorf("got %s", got)
	}
	ann.hasHeard(1, "change ", `"kind":"member"`, `"mutedUntil":"2999-01-01T00:00:00.000Z"`)
	ann.hasHeard(1, "message ", `"act":"mute"`, "boss 禁言了 bob")
	boss.wants("", "mute", in(g, object{"userId": bob.id, "until": "2999-01-01T00:00:00.000Z"})) // is so
	ann.hasHeard(1, "message ", `"act":"mute"`)
	boss.wants("", "mute", in(g, object{"userId": bob.id}))
	speaks(bob, chat.CodeMuted)
	bob.wants("", "leaveGroup", in(g))
	boss.wants("", "addMembers", in(g, object{"userIds": []chat.UserID{bob.id}}))
	speaks(bob, chat.CodeMuted) // leaving is no way out of it
	boss.wants("", "mute", in(g, object{"userId": bob.id, "on": false}))
	speaks(bob, "")
	boss.wants("", "mute", in(g))
	speaks(ann, chat.CodeMuted)
	speaks(boss, "")
	boss.wants("", "mute", in(g, object{"on": false}))
	speaks(ann, "")
	boss.wants(chat.CodeInvalid, "mute", in(g, object{"userId": bob.id, "until": "2001-01-01T00:00:00.000Z"}))
	boss.wants(chat.CodeInvalid, "mute", in(g, object{"userId": boss.id}))
	boss.wants(chat.CodeNotFound, "mute", in(g, object{"userId": "nobody"}))
}

func TestPowerReachesDownOnly(t *testing.T) {
	c := gather(t)
	boss, ann, ben := c.member("boss"), c.member("ann"), c.member("ben")
	g := boss.group(object{"name": "club", "members": []chat.UserID{ann.id, ben.id}})
	for _, p := range []*person{ann, ben} {
		boss.wants("", "setRole", in(g, object{"userId": p.id, "role": "admin"}))
	}
	for _, event := range []string{"mute", "kick", "ban"} {
		ann.wants(chat.CodeForbidden, event, in(g, object{"userId": ben.id}))
		ann.wants(chat.CodeForbidden, event, in(g, object{"userId": boss.id}))
	}
	boss.wants(chat.CodeConflict, "leaveGroup", in(g))
	boss.wants("", "setRole", in(g, object{"userId": ann.id, "role": "owner"}))
	ben.hasHeard(1, "message ", `"act":"owner"`, "boss 将群主转让给 ann")
	boss.wants(chat.CodeForbidden, "setRole", in(g, object{"userId": ben.id, "role": "member"}))
	boss.wants("", "leaveGroup", in(g))
	boss.hears(1, "me ", `"reason":"left"`)
	ann.wants("", "kick", in(g, object{"userId": ben.id}))
	ben.wants(chat.CodeNotFound, "joinRoom", in(g))
	ann.wants("", "leaveGroup", in(g)) // alone: the group ends with it
	ann.hears(1, "me ", `"reason":"dissolved"`)
	audit := field[[]chat.AuditEntry](t, func() string {
		other := boss.group(object{"name": "other", "members": []chat.UserID{ben.id}})
		boss.wants("", "ban", in(other, object{"userId": ben.id}))
		return boss.wants("", "audit", in(other))
	}(), "entries")
	if len(audit) != 2 || audit[0].Act != "ban" || audit[0].By != boss.id || audit[0].Target != ben.id {
		t.Errorf("audit is %+v", audit)
	}
}

func TestBansHoldUntilLifted(t *testing.T) {
	c := gather(t)
	boss, bob, spam := c.member("boss"), c.member("bob"), c.member("spam")
	g := boss.group(object{"name": "club", "visibility": "public", "joining": "open"})
	bob.wants("", "joinRoom", in(g))
	boss.wants("", "ban", in(g, object{"userId": bob.id, "until": "2999-01-01T00:00:00.000Z"}))
	bob.hears(1, "me ", `"reason":"banned"`, `"until":"2999-01-01T00:00:00.000Z"`)
	boss.wants("", "ban", in(g, object{"userId": spam.id})) // who is not in is kept out, too
	for _, p := range []*person{bob, spam} {
		p.wants(chat.CodeForbidden, "joinRoom", in(g))
		boss.wants("", "addMembers", in(g, object{"userIds": []chat.UserID{p.id}}))
		p.wants(chat.CodeForbidden, "getGroup", in(g))
	}
	token := object{"token": field[string](t, boss.wants("", "invite", in(g)), "invite", "token")}
	bob.wants(chat.CodeForbidden, "joinByInvite", token)
	if list := field[[]chat.Banned](t, boss.wants("", "bans", in(g)), "banned"); len(list) != 2 || list[0].Member.UserID != spam.id || list[1].Until == 0 {
		t.Errorf("banned are %+v", list)
	}
	boss.wants("", "unban", in(g, object{"userId": bob.id}))
	bob.wants("", "joinRoom", in(g))
	boss.wants("", "kick", in(g, object{"userId": bob.id}))
	bob.wants("", "joinRoom", in(g)) // a kick is no ban
	boss.wants(chat.CodeNotFound, "ban", in(g, object{"userId": "nobody"}))
	boss.wants(chat.CodeNotFound, "unban", in(g, object{"userId": "nobody"}))
}

func TestTwoHaveOneConversationUntilOneBlocks(t *testing.T) {
	c := gather(t)
	ann, ben, guest := c.member("ann"), c.member("ben"), c.guest("guest")
	opened := ann.wants("", "openDirect", object{"userId": ben.id})
	g := field[chat.GroupID](t, opened, "group", "groupId")
	if peer := field[chat.UserID](t, opened, "group", "me", "peer", "userId"); peer != ben.id {
		t.Errorf("opened %s", opened)
	}
	if again := ben.wants("", "openDirect", object{"userId": ann.id}); field[chat.GroupID](t, again, "group", "groupId") != g {
		t.Errorf("opened %s, again %s", opened, again)
	}
	ann.wants("", "sendMessage", in(g, object{"message": "hi"}))
	ben.hears(1, "message ", `"hi"`)
	if got := c.come(ben).ask("hello", object{"protocol": 1}); !strings.Contains(got, `"peer":{"userId":"`+string(ann.id)) {
		t.Errorf("hello: got %s", got)
	}
	guest.wants(chat.CodeForbidden, "openDirect", object{"userId": ben.id})
	ann.wants(chat.CodeInvalid, "openDirect", object{"userId": ann.id})

	heard, _ := ben.count("me ")
	ann.wants("", "block", object{"userId": ben.id})
	ann.hears(1, "me ", `"block":{"userId":"`+string(ben.id)+`","on":true}`)
	ben.wants(chat.CodeForbidden, "sendMessage", in(g, object{"message": "hello?"}))
	ann.wants(chat.CodeForbidden, "sendMessage", in(g, object{"message": "and me?"}))
	ben.wants("", "openDirect", object{"userId": ann.id}) // the conversation stays
	if now, _ := ben.count("me "); now != heard {
		t.Errorf("who was blocked was told: %q", ben.heard)
	}
	ann.wants("", "block", object{"userId": ben.id, "on": false})
	ben.wants("", "sendMessage", in(g, object{"message": "friends?"}))

	dan := c.member("dan")
	ann.wants("", "block", object{"userId": dan.id})
	blocked := dan.wants(chat.CodeNotFound, "openDirect", object{"userId": ann.id})
	if absent := dan.wants(chat.CodeNotFound, "openDirect", object{"userId": "nobody"}); absent != blocked {
		t.Errorf("who is blocked is told %s, where nobody is %s", blocked, absent)
	}
}

func TestAnAnnouncementCountsItsReaders(t *testing.T) {
	c := gather(t)
	boss, bob, ann := c.member("boss"), c.member("bob"), c.member("ann")
	phone := c.come(bob)
	g := boss.group(object{"name": "club", "members": []chat.UserID{bob.id, ann.id}})
	boss.wants("", "updateGroup", in(g, object{"announcement": "Meet at noon"}))
	head := field[chat.Seq](t, boss.wants("", "getGroup", in(g)), "group", "head")
	for range 2 {
		bob.wants("", "readAnnouncement", in(g))
	}
	phone.hears(1, "me ", `"announcementRead":true`)
	answer := ann.wants("", "readAnnouncement", in(g))
	if field[int](t, answer, "read") != 2 || field[int](t, answer, "of") != 3 || field[string](t, answer, "announcement") != "Meet at noon" {
		t.Errorf("got %s", answer)
	}
	if now := field[chat.Seq](t, boss.wants("", "getGroup", in(g)), "group", "head"); now != head {
		t.Errorf("reading took %d numbers of the group", now-head)
	}
	boss.wants("", "updateGroup", in(g, object{"announcement": "Meet at one"}))
	if n := field[int](t, bob.wants("", "announcement", in(g)), "read"); n != 0 {
		t.Errorf("a new one was read by %d", n)
	}
}

func TestMembersAndGroupsAreFoundInPages(t *testing.T) {
	c := gather(t)
	boss := c.member("boss")
	g := boss.group(object{"name": "club", "visibility": "open"})
	for i := range 5 {
		boss.wants("", "addMembers", in(g, object{"userIds": []chat.UserID{c.user(fmt.Sprintf("user%c", 'a'+i))}}))
	}
	names := func(payload object) (found []string) {
		for {
			answer := boss.wants("", "members", payload)
			for _, m := range field[[]chat.Member](t, answer, "members") {
				found = append(found, m.NickName)
			}
			if !strings.Contains(answer, `"cursor"`) {
				return found
			}
			payload["cursor"] = field[string](t, answer, "cursor")
		}
	}
	if got := fmt.Sprint(names(in(g, object{"limit": 2}))); got != "[boss usera userb userc userd usere]" {
		t.Errorf("members are %s", got)
	}
	if got := fmt.Sprint(names(in(g, object{"search": "USERC"}))); got != "[userc]" {
		t.Errorf("found %s", got)
	}
	boss.wants(chat.CodeInvalid, "members", in(g, object{"cursor": "?"}))
	boss.wants(chat.CodeInvalid, "members", in(g, object{"limit": 101}))
	for i := range 60 {
		boss.group(object{"name": fmt.Sprintf("public %02d", i), "visibility": "public"})
	}
	boss.group(object{"name": "secret"})
	first := boss.wants("", "groups", object{})
	page := field[[]chat.GroupCard](t, first, "groups")
	rest := field[[]chat.GroupCard](t, boss.wants("", "groups", object{"cursor": field[string](t, first, "cursor")}), "groups")
	if len(page) != 50 || len(rest) != 11 || page[0].Name != "club" || rest[10].Name != "public 59" {
		t.Errorf("found %d and %d groups", len(page), len(rest))
	}
	if found := field[[]chat.GroupCard](t, c.guest("guest").wants("", "groups", object{"search": "u"}), "groups"); len(found) != 1 || found[0].ID != g {
		t.Errorf("a guest finds %+v", found)
	}
}
