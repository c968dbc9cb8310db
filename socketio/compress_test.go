package socketio_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"

	"qun/engineio"
	"qun/socketio"
)

func TestBroadcastMayBeSentUncompressed(t *testing.T) {
	within(t, socketio.Config{Engine: engineio.Config{PerMessageDeflate: true}}, func(w *world) {
		here, there := net.Pipe()
		w.pipes <- there
		defer here.Close()
		dialer := ws.Dialer{
			NetDial: func(context.Context, string, string) (net.Conn, error) { return here, nil },
		}
		dialer.Extensions = append(dialer.Extensions, wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}.Option())
		_, early, _, err := dialer.Dial(context.Background(), "ws://test/socket.io/?EIO=4&transport=websocket")
		if err != nil {
			t.Fatal(err)
		}
		next := func() ws.Frame {
			t.Helper()
			f, err := ws.ReadFrame(here)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if early == nil || early.Buffered() == 0 {
			next() // open
		}
		if err := wsutil.WriteClientText(here, []byte("40")); err != nil {
			t.Fatal(err)
		}
		next() // CONNECT
		n, text := w.server.Of("/"), strings.Repeat("x", 5000)
		for _, c := range []struct {
			emit       func() error
			compressed bool
		}{
			{func() error { return n.Emit("m", text) }, true},
			{func() error { return n.To().Compress(false).Emit("m", text) }, false},
			{func() error { return n.To().Compress(false).Compress(true).Emit("m", text) }, true},
		} {
			if err := c.emit(); err != nil {
				t.Fatal(err)
			}
			if f := next(); f.Header.Rsv1() != c.compressed || (len(f.Payload) < 1000) != c.compressed {
				t.Errorf("got %d bytes, compressed %v; want compressed %v", len(f.Payload), f.Header.Rsv1(), c.compressed)
			}
		}
	})
}
