package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"qun/internal/chat"
)

func TestABotIsChangedByItsMakerAlone(t *testing.T) {
	s, service := newHouse(t, nil)
	member(t, s, service, "alice")
	var made struct{ User chat.User }
	if w := s.ask("POST", "/api/v1/me/bots", `{"nickName":"builds","scopes":["send"]}`); json.Unmarshal(w.Body.Bytes(), &made) != nil || made.User.ID == "" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	path := "/api/v1/me/bots/" + string(made.User.ID)
	picture := s.upload(t, "face.png", inPNG(t, 64, 64))
	w := s.ask("PATCH", path, `{"nickName":"Builder","avatar":"`+string(picture.ID)+`"}`)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"nickName":"Builder"`) || !strings.Contains(w.Body.String(), `"avatar":"/avatars/`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := s.ask("PATCH", path, `{"avatar":""}`); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "avatar") || !strings.Contains(w.Body.String(), "Builder") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	wantRefused(t, s.ask("PATCH", path, `{"nickName":"alice"}`), http.StatusConflict, chat.CodeNameTaken)
	wantRefused(t, s.ask("PATCH", path, `{"nickName":""}`), http.StatusBadRequest, chat.CodeInvalid)

	member(t, s, service, "bob")
	wantRefused(t, s.ask("PATCH", path, `{"nickName":"mine"}`), http.StatusNotFound, chat.CodeNotFound)
	member(t, s, service, "carol")
	other := s.upload(t, "face.png", inPNG(t, 64, 64))
	if w := s.ask("POST", "/api/v1/me/bots", `{"nickName":"carolsbot","scopes":["send"]}`); json.Unmarshal(w.Body.Bytes(), &made) != nil {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	wantRefused(t, s.ask("PATCH", "/api/v1/me/bots/"+string(made.User.ID), `{"avatar":"`+string(picture.ID)+`"}`), http.StatusBadRequest, chat.CodeInvalid) // alice's
	if w := s.ask("PATCH", "/api/v1/me/bots/"+string(made.User.ID), `{"avatar":"`+string(other.ID)+`"}`); w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
