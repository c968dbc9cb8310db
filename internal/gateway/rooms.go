package gateway

import (
	"qun/internal/chat"
	"qun/socketio"
)

// The names of Socket.IO rooms. No client ever sees or chooses one.
func groupRoom(g chat.GroupID) socketio.Room { return socketio.Room("g/" + g) } // everybody in the group
func fullRoom(g chat.GroupID) socketio.Room  { return socketio.Room("f/" + g) } // its full clients
func userRoom(u chat.UserID) socketio.Room   { return socketio.Room("u/" + u) } // a user's full clients

func roomsOf(g chat.GroupID, full bool) []socketio.Room {
	if full {
		return []socketio.Room{groupRoom(g), fullRoom(g)}
	}
	return []socketio.Room{groupRoom(g)}
}
