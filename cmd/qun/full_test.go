package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hello makes a full client.
func (c *peer) hello() reply {
	c.t.Helper()
	return c.must("hello", object{"protocol": 1})
}

// welcome is the part of hello's answer that tests read.
type welcome struct {
	Protocol          int
	Epoch, Now, Build string
	Me                *struct{ UserID, NickName, Presence string }
	Features          []string
	Limits            struct{ MessageLength int }
	Groups            []struct {
		GroupID, Room string
		Head          int64
		LastMessage   *line
		Me            struct{ Unread int64 }
	}
	Sync     *syncAnswer
	Settings map[string]any
}

type syncAnswer struct {
	Epoch  string
	Groups map[string]struct {
		Head, Latest int64
		Messages     []line
		Reset, More  bool
		Gone         string
	}
}

// entrance is joinRoom's answer.
type entrance struct {
	Epoch string
	Head  int64
	Group struct{ GroupID, Room string }
	Me    struct {
		UserID, NickName string
		Guest            bool
	}
	Token    string
	Messages []line
}

func (c *peer) enter(room, nickName string) (in entrance) {
	c.t.Helper()
	c.must("joinRoom", object{"roomName": room, "nickName": nickName}).into(c.t, &in)
	return in
}

func (c *peer) post(group, text string) (m line) {
	c.t.Helper()
	var out struct{ Message line }
	c.must("sendMessage", object{"groupId": group, "message": text}).into(c.t, &out)
	return out.Message
}

func TestHelloTellsEverythingAClientNeeds(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	var w welcome
	c.hello().into(t, &w)
	if w.Protocol != 1 || w.Epoch == "" || w.Build == "" || !strings.HasSuffix(w.Now, "Z") || w.Limits.MessageLength != 8000 || w.Groups == nil || w.Settings == nil {
		t.Errorf("got %+v", w)
	}
	if w.Me != nil {
		t.Errorf("nobody is %+v", w.Me)
	}
	for _, feature := range []string{"hello", "joinRoom", "sendMessage", "history", "sync", "readUpTo", "getUser", "getGroup"} {
		if !slices.Contains(w.Features, feature) {
			t.Errorf("%s is missing in %v", feature, w.Features)
		}
	}
	r := c.refused("hello", object{"protocol": 2}, "INVALID")
	if !slices.Equal(r.Error.Supported, []int{1}) {
		t.Errorf("got %s", r.Raw)
	}
}

func TestAGuestComesBackWithItsToken(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	in := c.enter("hall", "Anna")
	if in.Token == "" || !in.Me.Guest || in.Me.NickName != "Anna" || in.Group.Room != "hall" {
		t.Fatalf("got %+v", in)
	}
	c.post(in.Group.GroupID, "I was here")
	c.Close()

	again := p.dial(t, withToken(in.Token))
	var w welcome
	again.hello().into(t, &w)
	if w.Me == nil || w.Me.UserID != in.Me.UserID || w.Me.NickName != "Anna" || w.Me.Presence != "online" {
		t.Fatalf("got %+v", w.Me)
	}
	if len(w.Groups) != 1 || w.Groups[0].GroupID != in.Group.GroupID || w.Groups[0].LastMessage == nil || w.Groups[0].LastMessage.Message != "I was here" {
		t.Fatalf("got %+v", w.Groups)
	}
	again.post(in.Group.GroupID, "and I am again") // hello has entered it
	again.must("sendMessage", object{"room": "hall", "message": "by name, too"})
}

func TestAPlainGuestThatBecomesFullGetsItsToken(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	c.join("hall", "Anna")
	plain := c.hears(1)[0].UserID
	var w struct{ Token string }
	c.hello().into(t, &w)
	if got := p.dial(t, withToken(w.Token)).me(); got != plain {
		t.Errorf("the token is %s, want %s", got, plain)
	}
	if r := c.hello(); strings.Contains(string(r.Raw), "token") {
		t.Errorf("it is given twice: %s", r.Raw)
	}
}

func TestSendsWaitForARoomEvenAfterHello(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	c.say("sendMessage", object{"room": "hall", "message": "early"})
	c.hello()
	c.enter("hall", "Anna")
	c.await("the early line", func(all []event) bool { return strings.Contains(show(all), "early") })
}

func TestWhatWasMissedComesWithHello(t *testing.T) {
	p := start(t, "--limit-messages", "0")
	anna, ben := p.dial(t), p.dial(t)
	anna.hello()
	in := anna.enter("hall", "Anna")
	group := in.Group.GroupID
	last := anna.post(group, "before")
	ben.enter("hall", "Ben")
	anna.Close()
	for i := range 30 {
		ben.post(group, fmt.Sprint("missed ", i))
	}

	again := p.dial(t, withToken(in.Token))
	var w welcome
	again.must("hello", object{"protocol": 1, "epoch": in.Epoch, "heads": object{group: last.Seq}}).into(t, &w)
	got := w.Sync.Groups[group]
	var missed []string
	for _, m := range got.Messages {
		if m.Kind == "text" {
			missed = append(missed, m.Message)
		}
	}
	if len(missed) != 30 || missed[0] != "missed 0" || missed[29] != "missed 29" || got.Reset || got.More || got.Head != got.Latest {
		t.Errorf("got %q, %+v", missed, got)
	}

	var s syncAnswer
	again.must("sync", object{"epoch": in.Epoch, "heads": object{group: got.Head}}).into(t, &s)
	if n := len(s.Groups[group].Messages); n != 0 {
		t.Errorf("in step, %d messages come again", n)
	}
	again.must("sync", object{"epoch": "another", "heads": object{group: 1}}).into(t, &s)
	if !s.Groups[group].Reset {
		t.Errorf("another epoch: got %+v", s.Groups[group])
	}
}

func TestNumbersPushedAreDense(t *testing.T) {
	p := start(t, "--limit-messages", "0")
	ben := p.dial(t)
	ben.hello()
	in := ben.enter("hall", "Ben")
	const senders, each = 4, 25
	done := make(chan struct{})
	for i := range senders {
		c := p.dial(t)
		c.enter("hall", fmt.Sprint("sender", i))
		go func() {
			defer func() { done <- struct{}{} }()
			for n := range each {
				c.ask("sendMessage", object{"groupId": in.Group.GroupID, "message": fmt.Sprint(n)})
			}
		}()
	}
	for range senders {
		<-done
	}
	head := in.Head
	for _, e := range ben.await("all numbers", func(all []event) bool {
		return len(named(all, "message"))+len(named(all, "change")) >= senders*each
	}) {
		var n struct{ Seq, Head int64 }
		reply{Raw: e.Body}.into(t, &n)
		number := n.Seq
		if e.Name == "change" {
			number = n.Head
		}
		if number == 0 || e.Name == "heads" { // a join line has none, the digest repeats one
			continue
		}
		if number != head+1 {
			t.Fatalf("%d comes after %d: %s", number, head, e.Body)
		}
		head = number
	}
}

func TestADuplicateIsAnsweredWithTheSameMessage(t *testing.T) {
	p := start(t)
	anna, ben := p.dial(t), p.dial(t)
	ben.join("hall", "Ben")
	in := anna.enter("hall", "Anna")
	send := object{"groupId": in.Group.GroupID, "message": "once", "clientId": "c-1"}
	type answer struct {
		Message   line
		Duplicate bool
	}
	var first answer
	anna.must("sendMessage", send).into(t, &first)
	if first.Duplicate || first.Message.ClientID != "c-1" {
		t.Fatalf("got %+v", first)
	}
	for range 4 {
		anna.Close()
		anna = p.dial(t, withToken(in.Token)) // not even in the room
		var again answer
		anna.must("sendMessage", send).into(t, &again)
		if !again.Duplicate || again.Message != first.Message {
			t.Errorf("got %+v, want %+v again", again, first)
		}
	}
	anna.refused("sendMessage", object{"groupId": in.Group.GroupID, "message": "another", "clientId": "c-1"}, "CONFLICT")
	ben.must("sendMessage", object{"room": "hall", "message": "last"})
	got := spoken(ben.hears(4))
	if slices.Index(got, "Anna: once") < 0 || len(got) != 4 {
		t.Errorf("Ben hears %q", got)
	}
}

func TestHistoryPagesBothWays(t *testing.T) {
	p := start(t, "--limit-messages", "0")
	anna := p.dial(t)
	in := anna.enter("hall", "Anna")
	group := in.Group.GroupID
	var all []line
	for i := range 25 {
		all = append(all, anna.post(group, fmt.Sprint(i)))
	}
	page := func(query object) (texts []string, before, after bool) {
		var out struct {
			Messages      []line
			Before, After bool
		}
		query["groupId"] = group
		anna.must("history", query).into(t, &out)
		for _, m := range out.Messages {
			texts = append(texts, m.Message)
		}
		return texts, out.Before, out.After
	}
	if got, before, after := page(object{"limit": 5}); !slices.Equal(got, []string{"20", "21", "22", "23", "24"}) || !before || after {
		t.Errorf("newest: %q %v %v", got, before, after)
	}
	if got, before, after := page(object{"before": all[3].Seq, "limit": 5}); !slices.Equal(got, []string{"0", "1", "2"}) || before || !after {
		t.Errorf("before: %q %v %v", got, before, after)
	}
	if got, _, _ := page(object{"after": all[20].Seq, "limit": 50}); !slices.Equal(got, []string{"21", "22", "23", "24"}) {
		t.Errorf("after: %q", got)
	}
	if got, _, _ := page(object{"around": all[12].Seq, "limit": 5}); !slices.Contains(got, "12") || len(got) != 5 {
		t.Errorf("around: %q", got)
	}
}

func TestMembersDevicesStayInStep(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder, "--limit-messages", "0")
	desk, phone, guest := p.dial(t, withToken(token)), p.dial(t, withToken(token)), p.dial(t)
	desk.hello()
	phone.hello()
	group := desk.enter("hall", "ignored").Group.GroupID
	phone.pushed("me", 1) // the phone is in the group from now on
	guest.join("hall", "Anna")
	for i := range 3 {
		desk.post(group, fmt.Sprint("from the desk ", i))
	}
	guest.say("sendMessage", object{"room": "hall", "message": "hello lin"})
	got := phone.await("the guest's line", func(all []event) bool { return strings.Contains(show(all), "hello lin") })
	if !strings.Contains(show(got), "from the desk 2") {
		t.Errorf("the phone hears %s", show(got))
	}
	var w welcome
	phone.hello().into(t, &w)
	if w.Me.NickName != "lin" || len(w.Groups) != 1 || w.Groups[0].Me.Unread != 1 {
		t.Fatalf("got %+v", w)
	}
	heard := lines(t, got)
	seq := heard[len(heard)-1].Seq
	before := len(named(phone.settledEvents(), "me"))
	var read struct{ ReadSeq, Unread int64 }
	desk.must("readUpTo", object{"groupId": group, "seq": seq}).into(t, &read)
	if read.Unread != 0 || read.ReadSeq != seq {
		t.Errorf("got %+v", read)
	}
	pushes := phone.pushed("me", before+1)
	if body := string(pushes[len(pushes)-1].Body); !strings.Contains(body, `"unread":0`) {
		t.Errorf("the phone learns %s", body)
	}
}

func TestPeopleAndGroupsCanBeLookedUp(t *testing.T) {
	folder := t.TempDir()
	lin, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder)
	member, guest := p.dial(t, withToken(token)), p.dial(t)
	group := member.enter("hall", "").Group.GroupID
	in := guest.enter("hall", "Anna")
	user := func(c *peer, id string) (out struct {
		User struct {
			UserID, NickName, Presence string
			Guest                      bool
		}
	}) {
		t.Helper()
		c.must("getUser", object{"userId": id}).into(t, &out)
		return out
	}
	if got := user(guest, string(lin.ID)).User; got.NickName != "lin" || got.Guest || got.Presence != "online" {
		t.Errorf("the member is %+v", got)
	}
	if got := user(member, in.Me.UserID).User; got.NickName != "Anna" || !got.Guest || got.Presence != "online" {
		t.Errorf("the silent guest is %+v", got)
	}
	guest.Close()
	member.refused("getUser", object{"userId": "nobody"}, "NOT_FOUND")
	var out struct {
		Group struct {
			GroupID, Room string
			MemberCount   int
		}
	}
	member.must("getGroup", object{"groupId": group}).into(t, &out)
	if out.Group.Room != "hall" || out.Group.MemberCount != 1 {
		t.Errorf("got %+v", out)
	}
	member.refused("getGroup", object{"groupId": "nothing"}, "NOT_FOUND")
	stranger := p.dial(t)
	stranger.refused("getGroup", object{"groupId": group}, "UNAUTHORIZED")
}

func TestTypingReachesOthersOnceInAWhile(t *testing.T) {
	p := start(t)
	anna, ben := p.dial(t), p.dial(t)
	anna.hello()
	ben.hello()
	group := anna.enter("hall", "Anna").Group.GroupID
	ben.enter("hall", "Ben")
	for range 5 {
		anna.must("typing", object{"groupId": group})
	}
	anna.post(group, "done")
	got := ben.await("the message", func(all []event) bool { return strings.Contains(show(all), "done") })
	if typed := named(got, "typing"); len(typed) != 1 || !strings.Contains(string(typed[0].Body), "Anna") {
		t.Errorf("Ben hears %s", show(got))
	}
	if own, _ := anna.events(); len(named(own, "typing")) != 0 {
		t.Errorf("Anna hears herself: %s", show(own))
	}
}

func TestRefusalsSpeakTheClientsLanguage(t *testing.T) {
	p := start(t)
	chinese, english := p.dial(t), p.dial(t)
	chinese.must("hello", object{"protocol": 1, "locale": "zh-CN"})
	english.must("hello", object{"protocol": 1, "locale": "en"})
	if r := chinese.refused("history", object{}, "UNAUTHORIZED"); !strings.Contains(r.Error.Message, "登录") {
		t.Errorf("got %s", r.Raw)
	}
	if r := english.refused("history", object{}, "UNAUTHORIZED"); !strings.Contains(r.Error.Message, "nickname") {
		t.Errorf("got %s", r.Raw)
	}
}
