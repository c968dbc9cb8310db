package rest

import (
	"context"
	"net/http"
	"reflect"

	"qun/internal/chat"
)

var userType = reflect.TypeFor[chat.User]()

// Users is what look-ups of people ask of the chat.
type Users interface {
	User(ctx context.Context, id chat.UserID) (*chat.User, error)
}

func (s *server) registerUsers() {
	answer(s, route{
		ID: "getUser", Method: http.MethodGet, Path: "/users/{userId}", Tag: "users", Who: somebody,
		Summary: "Look a user up",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.getUser)
}

type userIn struct {
	UserID chat.UserID `path:"userId"`
}

type userOut struct {
	User *chat.User `json:"user"`
}

// getUser looks a user up by its id, with whether a socket of it is here.
func (s *server) getUser(ctx context.Context, _ *caller, in *userIn) (userOut, error) {
	user, err := s.Chat.User(ctx, in.UserID)
	if err != nil {
		return userOut{}, err
	}
	return userOut{s.withPresence(user)}, nil
}

// withPresence is a copy of the user that says whether it is here.
func (s *server) withPresence(u *chat.User) *chat.User {
	seen := *u
	seen.Presence = chat.PresenceOffline
	if s.Presence != nil {
		seen.Presence = s.Presence(u.ID)
	}
	return &seen
}
