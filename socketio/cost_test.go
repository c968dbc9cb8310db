package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"qun/socketio"
)

// A broadcast allocates the packet and an entry, whatever the size of the room.
func TestBroadcastAllocatesTheSameForAnyRoom(t *testing.T) {
	if raceEnabled {
		t.Skip("impossible here: the race detector allocates too; make check runs this test once more without it")
	}
	for _, members := range []int{1, 200} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			server := socketio.New(socketio.Config{})
			web := httptest.NewServer(server)
			t.Cleanup(func() {
				web.CloseClientConnections()
				stop(t, server)
				web.Close()
			})
			n, joined := server.Of("/"), make(chan struct{}, members)
			n.OnConnect(func(_ context.Context, s *socketio.Socket) {
				_ = s.Join("room")
				joined <- struct{}{}
			})
			received := &tide{reached: make(chan struct{}, 1)}
			for range members {
				go swallow(t, web.Listener.Addr().String(), received.add)
			}
			for range members {
				<-joined
			}
			size := int64(len(`..42["m",{"message":"hello"}]`))
			message := any(json.RawMessage(`{"message":"hello"}`))
			perRun := testing.AllocsPerRun(50, func() {
				n.To("room").Emit("m", message)
				received.await(int64(members) * size)
			})
			if perRun > 2 {
				t.Errorf("got %.1f allocations for a broadcast to %d, want at most 2", perRun, members)
			}
		})
	}
}

// A tide is bytes that many readers have read.
type tide struct {
	read, awaited atomic.Int64
	reached       chan struct{}
}

func (d *tide) add(n int) {
	if read, awaited := d.read.Add(int64(n)), d.awaited.Load(); awaited > 0 && read >= awaited {
		select {
		case d.reached <- struct{}{}:
		default:
		}
	}
}

// await waits for n bytes more than were awaited before.
func (d *tide) await(n int64) {
	for awaited := d.awaited.Add(n); d.read.Load() < awaited; {
		<-d.reached
	}
}
