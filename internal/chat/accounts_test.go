package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"qun/internal/chat"
)

// awaitTold waits until nothing is left that groups have to be told, not for ever.
func (h *house) awaitTold() {
	h.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		left, err := h.store.Untold(h.ctx, 1)
		h.must(err)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("still to be told: %+v", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (h *house) register(guest *chat.User, in chat.NewMember) *chat.User {
	h.t.Helper()
	u, err := h.Register(h.ctx, guest, in)
	h.must(err)
	return u
}

func (h *house) user(id chat.UserID) *chat.User {
	h.t.Helper()
	u, err := h.User(h.ctx, id)
	h.must(err)
	return u
}

func (h *house) membership(g chat.GroupID, u chat.UserID) (m *chat.Membership) {
	h.t.Helper()
	h.must(h.store.View(h.ctx, func(r chat.Reader) (err error) {
		m, err = r.Membership(g, u)
		return err
	}))
	return m
}

func text(s string) *string { return &s }

func TestAGuestWhoRegistersKeepsEverything(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("小明")
	g := h.enter(guest, "lobby")
	said := h.send(guest, g, "hello")
	before := h.membership(g, guest.ID)
	u := h.register(guest, chat.NewMember{Password: "hash"})
	if u.ID != guest.ID || u.NickName != "小明" || u.Username != "小明" || u.Guest {
		t.Errorf("registered %+v", u)
	}
	h.awaitTold()
	h.await(g, h.head(g))
	m := h.membership(g, u.ID)
	if m.Guest || m.Username != "小明" || m.Rev <= before.Rev || !m.Active() {
		t.Errorf("the membership was %+v, is %+v", before, m)
	}
	events := h.events(g, "")
	if last := events[len(events)-1]; last.Change == nil || last.Change.Member == nil || last.Change.Member.Guest || last.Number != m.Rev {
		t.Errorf("the group heard %+v last", last)
	}
	if page, err := h.History(h.ctx, u, chat.HistoryQuery{Group: g}); err != nil || len(page.Messages) != 1 || page.Messages[0].ID != said.ID {
		t.Errorf("history is %+v, %v", page, err)
	}
	if _, err := h.Register(h.ctx, guest, chat.NewMember{Username: "other"}); code(err) != chat.CodeConflict {
		t.Errorf("the second time: got %v", err)
	}
}

func TestRegisteringTakesNamesAndRefusesThoseOfOthers(t *testing.T) {
	h := newHouse(t, noLimits())
	h.member("alice")
	silent := h.guest("bob") // never spoke
	bob := h.register(silent, chat.NewMember{Username: "Bob", NickName: "Bobby"})
	if bob.ID != silent.ID || bob.Username != "bob" || bob.NickName != "Bobby" || bob.CreatedAt != silent.CreatedAt {
		t.Errorf("registered %+v of %+v", bob, silent)
	}
	if h.register(nil, chat.NewMember{Username: "carol"}).ID == "" {
		t.Error("nobody became nobody")
	}
	for in, want := range map[chat.NewMember]chat.Code{
		{Username: "alice"}: chat.CodeNameTaken, {Username: "new", NickName: "A1ice"}: chat.CodeNameTaken, {Username: "bobby"}: chat.CodeNameTaken,
		{}: chat.CodeInvalid, {Username: "a b"}: chat.CodeInvalid, {Username: "x", NickName: "系统"}: chat.CodeInvalid, {Username: "已注销"}: chat.CodeInvalid,
	} {
		if _, err := h.Register(h.ctx, h.guest(""), in); code(err) != want && in != (chat.NewMember{}) {
			t.Errorf("%+v: got %v, want %s", in, err, want)
		}
	}
	named := h.guest("Anna")
	h.member("anna")
	if named, err := h.Register(h.ctx, named, chat.NewMember{}); code(err) != chat.CodeNameTaken {
		t.Errorf("a name that was taken meanwhile: got %+v, %v", named, err)
	}
}

func TestARenameTakesOneNumberInEachGroup(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	heads := map[chat.GroupID]chat.Seq{}
	for i := range 12 {
		g := h.enter(alice, fmt.Sprint("room ", i))
		heads[g] = h.head(g)
	}
	left := h.enter(alice, "left")
	h.setState(left, alice, chat.MemberLeft)
	elsewhere := h.enter(bob, "elsewhere")
	heads[left], heads[elsewhere] = h.head(left)-1, h.head(elsewhere)-1
	for _, same := range []chat.MyChanges{{}, {NickName: text("alice")}, {Settings: json.RawMessage(`{}`)}} {
		if _, err := h.UpdateMe(h.ctx, alice, same); err != nil {
			t.Fatal(err)
		}
	}
	me, err := h.UpdateMe(h.ctx, alice, chat.MyChanges{NickName: text("Alicia"), Settings: json.RawMessage(`{"a":1}`)})
	h.must(err)
	if me.User.NickName != "Alicia" || me.User.Username != "alice" || string(me.Settings) != `{"a":1}` {
		t.Errorf("got %+v of %+v", me, me.User)
	}
	h.awaitTold()
	for g, head := range heads {
		h.await(g, head+1)
		if now := h.head(g); now != head+1 {
			t.Errorf("group %s was at %d, is at %d", g, head, now)
		}
		if events := h.events(g, ""); g != left && g != elsewhere && events[len(events)-1].Change.Member.NickName != "Alicia" {
			t.Errorf("the group heard %+v last", events[len(events)-1].Change)
		}
	}
	told := h.events("", alice.ID)
	names, settings := 0, 0
	for _, e := range told {
		if e.Me.User != nil {
			names++
		}
		if e.Me.Settings != nil {
			settings++
		}
	}
	if names != 1 || settings != 1 {
		t.Errorf("alice was told %d times of her name, %d times of her settings; want 1, 1", names, settings)
	}
	if _, err := h.Register(h.ctx, nil, chat.NewMember{Username: "x", NickName: "alice"}); code(err) != chat.CodeNameTaken {
		t.Errorf("a username as somebody's nickname: got %v", err)
	}
	if _, err := h.UpdateMe(h.ctx, bob, chat.MyChanges{NickName: text("ALICIA")}); code(err) != chat.CodeNameTaken {
		t.Errorf("a name somebody has: got %v", err)
	}
}

func TestARenameIsToldAfterARestart(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	head := h.head(g)
	h.must(h.Service.Close(h.ctx)) // whoever tells is gone
	h.must(h.store.ChangeUser(h.ctx, alice.ID, func(tx chat.UserTx) error {
		u := tx.User()
		u.NickName = "Alicia"
		return tx.PutUser(u, []string{"alice", "alicia"})
	}))
	if h.head(g) != head {
		t.Fatal("it was told already")
	}
	h.Service = chat.New(h.store, h, h.cfg)
	h.awaitTold()
	if h.head(g) != head+1 {
		t.Errorf("the group is at %d, want %d", h.head(g), head+1)
	}
}

func TestSettingsAreAnObjectThatIsKeptAsItIs(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	for _, bad := range []string{"", "1", "[]", `"x"`, "null", "{", `{"a":1} {}`, `{"a":"` + strings.Repeat("x", 16<<10) + `"}`, `{"a":"\u0000"}`} {
		if _, err := h.UpdateMe(h.ctx, alice, chat.MyChanges{Settings: json.RawMessage(bad)}); code(err) != chat.CodeInvalid {
			t.Errorf("%.20s: got %v", bad, err)
		}
	}
	const odd = `{ "big": 123456789012345678901234567890, "twice": 1, "twice": 2 }`
	me, err := h.UpdateMe(h.ctx, alice, chat.MyChanges{Settings: json.RawMessage(odd)})
	h.must(err)
	if string(me.Settings) != odd {
		t.Errorf("kept %s", me.Settings)
	}
}

func TestAGuestIsRenamedWhetherItSpokeOrNot(t *testing.T) {
	h := newHouse(t, noLimits())
	silent, spoken := h.guest("one"), h.guest("two")
	h.send(spoken, h.enter(spoken, "lobby"), "hello")
	for _, u := range []*chat.User{silent, spoken} {
		me, err := h.UpdateMe(h.ctx, u, chat.MyChanges{NickName: text("new " + u.NickName)})
		h.must(err)
		if me.User.ID != u.ID || me.User.NickName != "new "+u.NickName || !me.User.Guest {
			t.Errorf("got %+v", me.User)
		}
	}
	if u := h.user(spoken.ID); u.NickName != "new two" {
		t.Errorf("the row says %s", u.NickName)
	}
	if _, err := h.UpdateMe(h.ctx, silent, chat.MyChanges{Settings: json.RawMessage(`{}`)}); code(err) != chat.CodeForbidden {
		t.Errorf("settings of who leaves nothing behind: got %v", err)
	}
	h.member("alice")
	if _, err := h.UpdateMe(h.ctx, silent, chat.MyChanges{NickName: text("Alice")}); code(err) != chat.CodeNameTaken {
		t.Errorf("a member's name: got %v", err)
	}
}

func TestADeletedUsersRowsStayEmptied(t *testing.T) {
	for _, erase := range []bool{false, true} {
		h := newHouse(t, noLimits())
		alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
		g, own := h.enter(bob, "lobby"), h.enter(alice, "own")
		h.enter(alice, "lobby")
		h.enter(bob, "own")
		h.enter(carol, "own")
		h.change(own, func(tx chat.GroupTx) error {
			m, err := tx.Membership(carol.ID)
			if err != nil {
				return err
			}
			m.Role = chat.RoleAdmin
			return tx.PutMembership(m)
		})
		for i := range 450 { // more than one step goes through
			h.send(bob, g, fmt.Sprint(i))
		}
		last := h.send(alice, g, "of alice")
		if _, err := h.React(h.ctx, bob, g, last.Seq, "👍", true); err != nil {
			t.Fatal(err)
		}
		h.send(bob, g, "of bob")
		head := h.head(g)
		h.must(h.DeleteUser(h.ctx, alice.ID, erase))
		h.awaitTold()
		if u := h.user(alice.ID); u.NickName != "已注销" || u.Username != "" || u.Avatar != "" {
			t.Errorf("the user is %+v", u)
		}
		var texts, names []string
		page, err := h.History(h.ctx, bob, chat.HistoryQuery{Group: g})
		h.must(err)
		for _, m := range page.Messages {
			if m.UserID == alice.ID && m.Kind == chat.MessageText {
				texts, names = append(texts, m.Text), append(names, m.NickName)
				if (m.RecalledAt != 0) != erase || (len(m.Reactions) == 0) != erase {
					t.Errorf("erase %v: the message is %+v", erase, m)
				}
			}
		}
		want := "[of alice]"
		if erase {
			want = "[]"
		}
		if fmt.Sprint(texts) != want || fmt.Sprint(names) != "[已注销]" {
			t.Errorf("erase %v: left are %v of %v", erase, texts, names)
		}
		if now := h.head(g); now != head+3 { // the membership, the join line, the message
			t.Errorf("erase %v: the group was at %d, is at %d, want three more", erase, head, now)
		}
		if m := h.membership(g, alice.ID); m.Active() || m.NickName != "已注销" {
			t.Errorf("the membership is %+v", m)
		}
		if _, err := h.OpenDirect(h.ctx, bob, alice.ID); code(err) != chat.CodeNotFound {
			t.Errorf("a conversation with who is no more: got %v", err)
		}
		if m := h.membership(own, carol.ID); m.Role != chat.RoleOwner {
			t.Errorf("the admin of what alice led is %s", m.Role)
		}
		h.await(g, head+3)
		h.mu.Lock()
		checkDense(t, h.heard)
		h.mu.Unlock()
		if err := h.DeleteUser(h.ctx, alice.ID, erase); code(err) != chat.CodeNotFound {
			t.Errorf("the second time: got %v", err)
		}
		if again := h.register(nil, chat.NewMember{Username: "alice"}); again.ID == alice.ID {
			t.Error("the name brought the deleted user back")
		}
	}
}

func TestABotEntersWhereAnAdminAddsIt(t *testing.T) {
	h := newHouse(t, noLimits())
	owner, other := h.member("owner"), h.member("other")
	g := h.enter(owner, "lobby")
	h.enter(other, "lobby")
	bot, err := h.CreateBot(h.ctx, other, "Robot")
	h.must(err)
	if !bot.Bot || bot.Guest || bot.Username != "" {
		t.Errorf("made %+v", bot)
	}
	if _, err := h.CreateBot(h.ctx, owner, "R0bot"); code(err) != chat.CodeNameTaken {
		t.Errorf("one that imitates: got %v", err)
	}
	if _, err := h.CreateBot(h.ctx, h.guest("guest"), "x"); code(err) != chat.CodeForbidden {
		t.Errorf("of a guest: got %v", err)
	}
	if _, err := h.Enter(h.ctx, bot, chat.Entry{Group: g}); code(err) != chat.CodeForbidden {
		t.Errorf("by itself: got %v", err)
	}
	if _, err := h.SendMessage(h.ctx, bot, chat.NewMessage{Group: g, Entered: true, Text: "x"}); code(err) != chat.CodeNotInRoom {
		t.Errorf("it speaks: got %v", err)
	}
	for by, want := range map[*chat.User]chat.Code{other: chat.CodeForbidden, h.member("stranger"): chat.CodeNotFound, owner: ""} {
		if _, err := h.AddBot(h.ctx, by, g, bot.ID); code(err) != want {
			t.Errorf("added by %s: got %v, want %q", by.NickName, err, want)
		}
	}
	if _, err := h.AddBot(h.ctx, owner, g, other.ID); code(err) != chat.CodeNotFound {
		t.Errorf("a person: got %v", err)
	}
	h.send(bot, g, "beep")
	if _, err := h.OwnBot(h.ctx, owner, bot.ID); code(err) != chat.CodeNotFound {
		t.Errorf("somebody else's: got %v", err)
	}
	if err := h.DeleteBot(h.ctx, owner, bot.ID); code(err) != chat.CodeNotFound {
		t.Errorf("deleted by somebody else: got %v", err)
	}
	h.must(h.DeleteUser(h.ctx, other.ID, false)) // takes its bots along
	h.awaitTold()
	if m := h.membership(g, bot.ID); m.Active() {
		t.Errorf("the bot is %+v", m)
	}
	if bots, err := h.Bots(h.ctx, other); err != nil || len(bots) != 0 {
		t.Errorf("left are %v, %v", bots, err)
	}
}
