package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/gateway"
	"qun/socketio"
	"qun/test/sioclient"
)

// failing is a store of accounts that cannot look anybody up.
type failing struct {
	auth.Store
	err error
}

func (f failing) Account(context.Context, chat.UserID) (*auth.Account, error) { return nil, f.err }

// Who comes while the store does not answer is sent away to come again; it is an accident only where that does not pass.
func TestOnlyAccidentsAreLoggedOfWhoConnects(t *testing.T) {
	h := open(t, gateway.Config{})
	for _, c := range []struct {
		err    error
		logged bool
	}{
		{fmt.Errorf("look up: %w: the server is gone", chat.ErrBusy), false},
		{fmt.Errorf("look up: %w", context.Canceled), false},
		{errors.New("something else"), true},
	} {
		who, err := auth.New(t.Context(), failing{h.store, c.err}, auth.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		sockets := socketio.New(socketio.Config{})
		doors := gateway.Serve(sockets.Of("/"), gateway.NewHub(sockets.Of("/")), h.chat, who, gateway.Config{
			Logger: slog.New(slog.NewTextHandler(&said, nil)),
		})
		server := httptest.NewServer(sockets)
		token := who.GuestToken(chat.User{ID: "somebody", NickName: "Anna", Guest: true})
		client, err := sioclient.Dial(t.Context(), sioclient.Config{URL: server.URL, Auth: map[string]string{"token": token}})
		if err == nil {
			client.Close()
			t.Errorf("%v: the door is open", c.err)
		}
		if err := sockets.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		server.Close()
		doors.Close()
		if got := strings.Contains(said.String(), "level=ERROR"); got != c.logged {
			t.Errorf("%v: it says %q", c.err, &said)
		}
	}
}
