package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/gateway"
)

// seqOf reads a message's seq out of an ack.
func seqOf(t *testing.T, ack string) chat.Seq {
	t.Helper()
	var in struct{ Message struct{ Seq chat.Seq } }
	if err := json.Unmarshal([]byte(ack), &in); err != nil || in.Message.Seq == 0 {
		t.Fatalf("got %s", ack)
	}
	return in.Message.Seq
}

// wants fails unless an ack holds all words.
func wants(t *testing.T, ack string, words ...string) {
	t.Helper()
	if !containsAll(ack, words) {
		t.Errorf("got %s, want all of %q", ack, words)
	}
}

func TestActsOnAMessageReachTheGroup(t *testing.T) {
	h := open(t, gateway.Config{})
	anna, ben, plain, outside := h.member(t, "anna"), h.member(t, "ben"), h.dial(t), h.member(t, "otto")
	g, annaID := anna.enter("hall", "")
	_, benID := ben.enter("hall", "")
	plain.enter("hall", "Petra")
	outside.enter("elsewhere", "")
	seq := seqOf(t, ben.ask("sendMessage", map[string]any{"groupId": g, "message": "helo"}))
	at := func(more map[string]any) map[string]any {
		more["groupId"], more["seq"] = g, seq
		return more
	}
	wants(t, ben.ask("editMessage", at(map[string]any{"message": "hello", "mentions": []string{string(annaID)}})),
		`"ok":true`, `"message":"hello"`, `"editedAt"`, `"mentions":["`+string(annaID))
	anna.hears(1, "me ", `"mentioned":1`)
	wants(t, anna.ask("react", at(map[string]any{"emoji": "👍", "on": true})), `"reactions":[{"emoji":"👍","count":1`, `"mine":true`)
	wants(t, anna.ask("react", at(map[string]any{"emoji": "👍", "on": true})), `"mine":true`)
	wants(t, anna.ask("pin", at(map[string]any{"on": true})), `"pinnedAt"`)
	wants(t, ben.ask("pins", map[string]any{"groupId": g}), `"messages":[{`, `"message":"hello"`)
	wants(t, ben.ask("pin", at(map[string]any{"on": false})), `"FORBIDDEN"`)
	wants(t, outside.ask("react", at(map[string]any{"emoji": "👍"})), `"NOT_IN_ROOM"`)
	wants(t, ben.ask("forward", at(map[string]any{"to": g, "clientId": "f"})), `"message":"hello"`)
	wants(t, ben.ask("forward", at(map[string]any{"to": g, "clientId": "f"})), `"duplicate":true`)
	wants(t, ben.ask("recallMessage", at(map[string]any{})), `"recalledAt"`, `"message":""`, `"before":{"message":"hello","mentions":["`)
	wants(t, ben.ask("recallMessage", at(map[string]any{})), `"recalledAt"`)
	for _, p := range []*peer{anna, ben} {
		p.hasHeard(4, "change ", `"kind":"message"`, fmt.Sprintf(`"seq":%d,`, seq))
		p.hasHeard(0, "change ", `"mine"`)
		p.hasHeard(1, "message ", `"clientId":"f"`)
	}
	plain.hasHeard(0, "change ")
	outside.hasHeard(0, string(g))
	if strings.Contains(ben.ask("history", map[string]any{"groupId": g, "around": seq}), string(benID)+`"],"mine"`) {
		t.Error("the recalled message has reactions")
	}
	wants(t, anna.ask("hello", map[string]int{"protocol": 1}), `"editMessage"`, `"recallMessage"`, `"react"`, `"pin"`, `"pins"`, `"forward"`,
		`"editSeconds":0`)
}

func TestNothingOfAHiddenHistoryReachesWhoCameLater(t *testing.T) {
	h := open(t, gateway.Config{})
	anna, ben := h.member(t, "anna"), h.member(t, "ben")
	g, _ := anna.enter("hall", "")
	other, _ := ben.enter("other", "")
	h.change(t, g, func(row *chat.Group) { row.History = chat.ExtentJoined })
	seq := seqOf(t, anna.ask("sendMessage", map[string]any{"groupId": g, "message": "secret"}))
	ben.enter("hall", "")
	at := func(more map[string]any) map[string]any {
		more["groupId"], more["seq"] = g, seq
		return more
	}
	anna.ask("editMessage", at(map[string]any{"message": "secret two"}))
	anna.ask("react", at(map[string]any{"emoji": "👍"}))
	anna.ask("pin", at(map[string]any{}))
	anna.ask("sendMessage", map[string]any{"groupId": g, "message": "an answer", "replyTo": seq})
	ben.hears(1, "message ", "an answer")
	for request, payload := range map[string]any{
		"joinRoom":      map[string]any{"groupId": g},
		"hello":         map[string]any{"protocol": 1, "epoch": h.chat.Epoch(), "heads": map[chat.GroupID]int{g: 0}},
		"history":       map[string]any{"groupId": g, "around": seq},
		"sync":          map[string]any{"epoch": h.chat.Epoch(), "heads": map[chat.GroupID]chat.Seq{g: seq}},
		"pins":          map[string]any{"groupId": g},
		"react":         at(map[string]any{"emoji": "👍"}),
		"editMessage":   at(map[string]any{"message": "mine"}),
		"recallMessage": at(map[string]any{}),
		"pin":           at(map[string]any{}),
		"forward":       at(map[string]any{"to": other}),
		"getGroup":      map[string]any{"groupId": g},
	} {
		if ack := ben.ask(request, payload); strings.Contains(ack, "secret") {
			t.Errorf("%s answers %s", request, ack)
		}
	}
	wants(t, ben.ask("react", at(map[string]any{"emoji": "👍"})), `"NOT_FOUND"`)
	ben.hasHeard(0, "secret")
	ben.hasHeard(3, "change ", fmt.Sprintf(`"seq":%d}`, seq))
	anna.hasHeard(0, "change ", "secret")
}
