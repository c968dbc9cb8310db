package rest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"qun/internal/chat"
)

func TestMessagesAreFound(t *testing.T) {
	s, service := newHouse(t, nil)
	guest := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	entered, err := service.Enter(t.Context(), guest, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = service.SendMessage(t.Context(), guest, chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: "我家在上海东边"})
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"", "&groupId=" + string(entered.Group.ID), "&limit=1&from=" + string(guest.ID)} {
		w := s.ask("GET", "/api/v1/search?text="+url.QueryEscape("上海")+of, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"marks":[[3,2]]`) || !strings.Contains(w.Body.String(), "我家在上海东边") {
			t.Errorf("%s: got %d %s", of, w.Code, w.Body)
		}
	}
	wantRefused(t, s.ask("GET", "/api/v1/search?text=x&groupId=none", ""), http.StatusNotFound, chat.CodeNotFound)
	wantRefused(t, s.ask("GET", "/api/v1/search?text=+", ""), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, s.ask("GET", "/api/v1/search?text=x&before=?", ""), http.StatusBadRequest, chat.CodeInvalid)
}
