package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// A passport is what a client has of its session: what it needs to come back.
type passport struct{ SID, PID, offset string }

// enter joins a namespace with credentials, a JSON object without its braces, and returns what came before the CONNECT
// packet, that packet's content, and what came behind.
func (c *client) enter(namespace, auth string) (before []string, p passport, after []string) {
	c.w.Helper()
	prefix := strings.TrimPrefix(namespace+",", "/,")
	c.send("0" + prefix + "{" + auth + "}")
	got := c.take()
	i := slices.IndexFunc(got, func(packet string) bool { return strings.HasPrefix(packet, "0"+prefix+"{") })
	if i < 0 {
		c.w.Fatalf("connect to %s: got %q", namespace, got)
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(got[i], "0"+prefix)), &p); err != nil {
		c.w.Fatalf("connect to %s: got %q", namespace, got[i])
	}
	return got[:i], p, got[i+1:]
}

// back is what a client adds to its credentials to come back.
func (p passport) back() string {
	return fmt.Sprintf(`"pid":%q,"offset":%q`, p.PID, p.offset)
}

// hear takes the packets of a client, without their offsets, the last of which it remembers.
func (p *passport) hear(t *testing.T, packets []string) (plain []string) {
	t.Helper()
	for _, packet := range packets {
		start := strings.LastIndex(packet, `,"`)
		if !strings.HasPrefix(packet, "2") && !strings.HasPrefix(packet, "5") {
			plain = append(plain, packet)
			continue
		}
		if start < 0 || !strings.Contains(packet[start:], ".") || !strings.HasSuffix(packet, `"]`) {
			t.Errorf("got %q, want an offset at its end", packet)
			continue
		}
		p.offset = packet[start+2 : len(packet)-2]
		plain = append(plain, packet[:start]+"]")
	}
	return plain
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// resumes tries to come back, and says whether that was granted.
func (w *world) resumes(p passport, auth string) (recovered bool) {
	w.Helper()
	c := w.dial()
	if auth != "" {
		auth = "," + auth
	}
	_, now, _ := c.enter("/", p.back()+auth)
	recovered = now.SID == p.SID
	if recovered != (now.PID == p.PID) {
		w.Errorf("got %+v for %+v: a new id with the old secret, or the reverse", now, p)
	}
	c.close()
	return recovered
}

func TestRecoveryIsOffUnlessAskedFor(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		c := w.dial()
		_, p, _ := c.enter("/", `"pid":"x","offset":"y"`)
		if p.PID != "" || w.server.Of("/").Sockets()[0].Recovered() {
			t.Errorf("got %+v", p)
		}
		_ = w.server.Of("/").Emit("m", 1)
		c.gets(`2["m",1]`)
	})
}

func TestClientTakesUpWhereItWas(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			j.note("middleware")
			return nil
		})
		n.OnConnect(func(_ context.Context, s *socketio.Socket) {
			j.note("connect %v %v", s.Recovered(), s.Value())
			_ = s.Emit("welcome")
		})
		n.OnDisconnect(func(s *socketio.Socket, reason error) { j.note("disconnect %s", socketio.Reason(reason)) })
		c := w.dial()
		_, p, after := c.enter("/", "")
		same(t, "first", p.hear(t, after), `2["welcome"]`)
		s := n.Socket(socketio.SocketID(p.SID))
		_ = s.Join("room", "left")
		s.Leave("left")
		s.SetValue("alice")
		_ = n.To("room").Emit("m", 1, "x")
		same(t, "while it is there", p.hear(t, c.take()), `2["m",1,"x"]`)
		c.close()
		j.says(t, "middleware", "connect false <nil>", "disconnect transport close")

		other := w.dial()
		_, _, _ = other.enter("/", "")
		sender := n.Sockets()[0]
		_ = n.To("room").Emit("m", 2)
		_ = n.To("left").Emit("m", "not for it")
		_ = n.To("room").Except("room").Emit("m", "nor this")
		_ = n.To(socketio.Room(p.SID)).Emit("m", 3, socketio.Binary("b"))
		_ = n.To("room").Volatile().Emit("m", "volatile")
		_ = sender.To().Emit("m", 4)
		_ = n.Emit("m", 5)
		other.take() // all of it: what is cut in the middle ends as an error
		other.close()
		time.Sleep(time.Minute)
		j.says(t, "middleware", "connect false <nil>", "disconnect transport close")

		c = w.dial()
		before, again, after := c.enter("/", p.back())
		if again.SID != p.SID || again.PID != p.PID {
			t.Errorf("got %+v, want %+v", again, p)
		}
		same(t, "missed", p.hear(t, before), `2["m",2]`, `51-["m",3,{"_placeholder":true,"num":0}]`, "binary b", `2["m",4]`, `2["m",5]`)
		same(t, "then", p.hear(t, after), `2["welcome"]`)
		j.says(t, "connect true alice")
		s = n.Socket(socketio.SocketID(p.SID))
		if s == nil || !slices.Equal(s.Rooms(), []socketio.Room{socketio.Room(p.SID), "room"}) {
			t.Errorf("got rooms %q", s.Rooms())
		}
		_ = n.To("room").Emit("m", 6)
		same(t, "from then on", p.hear(t, c.take()), `2["m",6]`)
		c.close()
		if !w.resumes(p, "") {
			t.Error("who had come back cannot come back again")
		}
	})
}

func TestAcksAndVolatileEventsHaveNoOffset(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		n := w.server.Of("/")
		socketio.Handle(n, "q", func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
			e.Ack("a")
			_ = s.EmitVolatile("v")
			go func() { _, _ = s.EmitWithAck(context.Background(), "ask") }()
		})
		c := w.dial()
		c.enter("/", "")
		c.send(`20["q"]`)
		c.gets(`30["a"]`, `2["v"]`, `20["ask"]`)
		c.send(`30[]`)
	})
}

func TestClientThatNeverGotAnEventComesBackToo(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		n := w.server.Of("/")
		early := w.dial()
		early.enter("/", "")
		_ = n.Emit("before it came")
		c := w.dial()
		_, p, _ := c.enter("/", "")
		c.close()
		_ = n.Emit("m", 1)
		c = w.dial()
		before, again, _ := c.enter("/", fmt.Sprintf(`"pid":%q`, p.PID))
		if again.SID != p.SID {
			t.Error("it is new")
		}
		same(t, "missed", p.hear(t, before), `2["m",1]`)
	})
}

// A client may show any offset that it ever saw. Events for a room from before it joined stay none of its business.
func TestRoomIsRecoveredOnlyFromWhenItWasJoined(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		n := w.server.Of("/")
		early := w.dial()
		_, e, _ := early.enter("/", "")
		_ = n.Emit("before it came")
		c := w.dial()
		_, p, _ := c.enter("/", "")
		s := n.Socket(socketio.SocketID(p.SID))
		n.Socket(socketio.SocketID(e.SID)).Disconnect()
		_ = s.To().Emit("its own words")
		_ = s.Emit("mine")
		same(t, "first", p.hear(t, c.take()), `2["mine"]`)
		_ = n.To("private").Emit("secret")
		_ = s.Join("other")
		_ = n.To("other", "private").Emit("for the other room")
		_ = n.To(socketio.Room(s.ID())).Join("private")
		_ = n.To("private").Emit("for members")
		c.close()
		c = w.dial()
		before, _, _ := c.enter("/", p.back())
		same(t, "missed", p.hear(t, before), `2["for the other room"]`, `2["for members"]`)
		c.close()
		c = w.dial()
		first := p
		first.offset = strings.TrimSuffix(p.offset, p.offset[strings.LastIndex(p.offset, "."):]) + ".0"
		before, _, _ = c.enter("/", first.back())
		same(t, "missed after coming back twice", p.hear(t, before), `2["mine"]`, `2["for the other room"]`, `2["for members"]`)
	})
}

func TestSessionIsTakenUpOnce(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		c := w.dial()
		_, p, _ := c.enter("/", "")
		_ = w.server.Of("/").Emit("m")
		p.hear(t, c.take())
		c.close()
		first, second := w.dial(), w.dial()
		_, one, _ := first.enter("/", p.back())
		_, two, _ := second.enter("/", p.back())
		if one.SID != p.SID || two.SID != p.SID {
			t.Errorf("got %+v and %+v, want both times the session", one, two)
		}
		second.send("1") // and is done with it
		second.take()
		if w.resumes(p, "") {
			t.Error("what was taken up and left could be taken up again")
		}
		second.enter("/", "")
		if first.isOpen() || !second.isOpen() || w.server.Of("/").Len() != 1 {
			t.Errorf("first open %v, second open %v, %d sockets; want the second alone", first.isOpen(), second.isOpen(), w.server.Of("/").Len())
		}
	})
}

func TestHalfOpenConnectionIsClosedWhenItsClientComesBack(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		n.OnConnect(func(_ context.Context, s *socketio.Socket) { j.note("connect %v", s.Recovered()) })
		n.OnDisconnect(func(s *socketio.Socket, reason error) { j.note("disconnect %v", reason) })
		socketio.Handle(n, "slow", func(context.Context, *socketio.Socket, *socketio.Event) {
			time.Sleep(3 * time.Second)
			j.note("handled")
		})
		old := w.dial()
		_, p, _ := old.enter("/", "")
		_ = n.Sockets()[0].Join("room")
		_ = n.Emit("m", 1)
		p.hear(t, old.take())
		_ = n.To("room").Emit("m", 2) // which the client never sees
		old.send(`2["slow"]`)
		synctest.Wait()

		c := w.dial()
		c.send("0{" + p.back() + "}")
		c.gets() // until the old handler has returned: one handler at a time
		time.Sleep(4 * time.Second)
		got := p.hear(t, c.take())
		if len(got) != 2 || got[0] != `2["m",2]` || !strings.Contains(got[1], p.SID) {
			t.Errorf("got %q, want what was missed and the old id", got)
		}
		if old.isOpen() || n.Len() != 1 {
			t.Errorf("old connection open %v, %d sockets", old.isOpen(), n.Len())
		}
		j.says(t, "connect false", "handled", "disconnect forced server close: the client came back on another connection", "connect true")
	})
}

func TestTwoClientsThatTakeEachOthersPlaceDoNotWaitForEver(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		for _, name := range []string{"/a", "/b"} {
			w.server.Of(name)
		}
		for range 20 {
			one, two := w.dial(), w.dial()
			_, a, _ := one.enter("/a", "")
			_, b, _ := two.enter("/b", "")
			one.send(fmt.Sprintf(`0/b,{"pid":%q}`, b.PID))
			two.send(fmt.Sprintf(`0/a,{"pid":%q}`, a.PID))
			synctest.Wait()
			one.close()
			two.close()
		}
		if n := w.server.Stats().Sockets; n != 0 {
			t.Errorf("got %d sockets", n)
		}
	})
}

func TestRecoveryIsBoundToTheUser(t *testing.T) {
	identity := func(s *socketio.Socket) string {
		var auth struct{ Token string }
		_ = json.Unmarshal(s.Auth(), &auth)
		user, _, _ := strings.Cut(auth.Token, ":")
		return user
	}
	for _, c := range []struct {
		name        string
		identity    func(*socketio.Socket) string
		first, then string
		want        bool
	}{
		{"same credentials", nil, `"token":"alice:1"`, `"token":"alice:1"`, true},
		{"other credentials", nil, `"token":"alice:1"`, `"token":"alice:2"`, false},
		{"none", nil, `"token":"alice:1"`, ``, false},
		{"one more", nil, ``, `"token":"alice:1"`, false},
		{"same user", identity, `"token":"alice:1"`, `"token":"alice:2"`, true},
		{"other user", identity, `"token":"alice:1"`, `"token":"bob:1"`, false},
	} {
		within(t, socketio.Config{Recovery: &socketio.Recovery{Identity: c.identity}}, func(w *world) {
			join := func() passport {
				one := w.dial()
				_, p, _ := one.enter("/", c.first)
				_ = w.server.Of("/").Emit("m")
				p.hear(t, one.take())
				return p
			}
			alive := join()
			if got := w.resumes(alive, c.then); got != c.want {
				t.Errorf("%s, from a connection that stands: got %v", c.name, got)
			}
			if got := w.server.Of("/").Len() == 1; got == c.want {
				t.Errorf("%s: the old connection stands: %v", c.name, got)
			}
			for _, s := range w.server.Of("/").Sockets() {
				s.Close(nil)
			}
			synctest.Wait()
			if got := w.resumes(alive, c.then); got != c.want {
				t.Errorf("%s: got %v", c.name, got)
			}
			if !c.want && !w.resumes(alive, c.first) {
				t.Errorf("%s: the owner cannot come back after a stranger has tried", c.name)
			}
		})
	}
}

func TestWhoCannotComeBackIsNew(t *testing.T) {
	hour := socketio.Config{Recovery: &socketio.Recovery{}, HandlerTimeout: time.Hour}
	few := socketio.Config{Recovery: &socketio.Recovery{MaxEvents: 3, MaxSessions: 2}}
	small := socketio.Config{Recovery: &socketio.Recovery{MaxBytes: 2000}}
	slow := socketio.Config{Recovery: &socketio.Recovery{}, Engine: engineio.Config{OutboxBytes: 2000}}
	emit := func(count, size int) func(*world, *client, *passport) {
		return func(w *world, c *client, _ *passport) {
			c.close()
			for range count {
				_ = w.server.Of("/").Emit("m", strings.Repeat("x", size))
			}
		}
	}
	for name, c := range map[string]struct {
		cfg  socketio.Config
		fate func(*world, *client, *passport)
		want bool
	}{
		"away":          {hour, func(w *world, c *client, _ *passport) { c.close(); time.Sleep(2*time.Minute - 1) }, true},
		"away too long": {hour, func(w *world, c *client, _ *passport) { c.close(); time.Sleep(2*time.Minute + 1) }, false},
		"away too long, later": {hour, func(w *world, c *client, _ *passport) {
			time.Sleep(time.Minute) // so that what expires does not expire with the first event
			c.close()
			time.Sleep(2*time.Minute + 1)
		}, false},
		"missed much":           {few, emit(3, 1), true},
		"missed too many":       {few, emit(4, 1), false},
		"missed many bytes":     {small, emit(3, 500), true},
		"missed too many bytes": {small, emit(4, 500), false},
		"missed a handful":      {slow, emit(1, 500), true},
		"missed more than fits": {slow, emit(3, 500), false},
		"unknown secret":        {hour, func(_ *world, c *client, p *passport) { c.close(); p.PID = "abc" }, false},
		"unknown offset":        {hour, func(_ *world, c *client, p *passport) { c.close(); p.offset = "abc" }, false},
		"offset of others":      {hour, func(_ *world, c *client, p *passport) { c.close(); p.offset = "ABCDEFGHIJ.1" }, false},
		"offset of the future":  {hour, func(_ *world, c *client, p *passport) { c.close(); p.offset += "zz" }, false},
		"offset beyond all":     {hour, func(_ *world, c *client, p *passport) { c.close(); p.offset += strings.Repeat("z", 30) }, false},
		"too many sessions": {few, func(w *world, c *client, _ *passport) {
			c.close()
			for range 2 {
				c := w.dial()
				c.enter("/", "")
				c.close()
			}
		}, false},
		"was in some rooms":     {few, func(w *world, c *client, _ *passport) { joinMany(w, 30); c.close() }, true},
		"was in too many rooms": {few, func(w *world, c *client, _ *passport) { joinMany(w, 40); c.close() }, false},
		"client left":           {hour, func(_ *world, c *client, _ *passport) { c.send("1"); c.take(); c.close() }, false},
		"server sent it away": {hour, func(w *world, c *client, _ *passport) {
			w.server.Of("/").Sockets()[0].Disconnect()
			c.take()
			c.close()
		}, false},
		"closed by the server": {hour, func(w *world, c *client, _ *passport) { w.server.Of("/").Sockets()[0].Close(nil); c.take() }, true},
		"closed with a reason": {hour, func(w *world, c *client, _ *passport) {
			w.server.Of("/").Sockets()[0].Close(fmt.Errorf("signed out"))
			c.take()
		}, false},
		"broken packet":        {hour, func(_ *world, c *client, _ *passport) { c.send("nonsense"); c.take() }, true},
		"broken engine packet": {hour, func(_ *world, c *client, _ *passport) { c.sendRaw("nonsense"); c.take() }, false},
		"ping timeout":         {hour, func(_ *world, c *client, _ *passport) { c.mute(); time.Sleep(time.Minute) }, true},
	} {
		within(t, c.cfg, func(w *world) {
			one := w.dial()
			_, p, _ := one.enter("/", "")
			_ = w.server.Of("/").Emit("m")
			p.hear(t, one.take())
			c.fate(w, one, &p)
			if got := w.resumes(p, ""); got != c.want {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		})
	}
}

// joinMany makes the only socket join rooms.
func joinMany(w *world, count int) {
	for i := range count {
		_ = w.server.Of("/").Sockets()[0].Join(socketio.Room(fmt.Sprint(i)))
	}
}

func TestMiddlewaresMayAskAboutWhoComesBack(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{RunMiddlewares: true}}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		var refuse bool
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			j.note("recovered %v, value %v", s.Recovered(), s.Value())
			s.SetValue("v")
			if refuse {
				return &socketio.Error{Message: "banned"}
			}
			return nil
		})
		c := w.dial()
		_, p, _ := c.enter("/", "")
		_ = n.Emit("m")
		p.hear(t, c.take())
		c.close()
		if !w.resumes(p, "") {
			t.Error("it is new")
		}
		j.says(t, "recovered false, value <nil>", "recovered true, value v")
		refuse = true
		c = w.dial()
		c.send("0{" + p.back() + "}")
		c.gets(`4{"message":"banned"}`)
	})
}

func TestClientThatGoesWhileItIsLetInMayTryAgain(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{RunMiddlewares: true}}, func(w *world) {
		n := w.server.Of("/")
		n.Use(func(ctx context.Context, s *socketio.Socket) error {
			if s.Recovered() {
				time.Sleep(time.Second)
			}
			return nil
		})
		c := w.dial()
		_, p, _ := c.enter("/", "")
		_ = n.Emit("m")
		p.hear(t, c.take())
		c.close()
		c = w.dial()
		c.send("0{" + p.back() + "}")
		c.take()
		c.close()
		time.Sleep(2 * time.Second)
		c = w.dial()
		c.send("0{" + p.back() + "}")
		time.Sleep(2 * time.Second)
		if got := c.take(); len(got) != 1 || !strings.Contains(got[0], p.SID) {
			t.Errorf("got %q, want the old id", got)
		}
	})
}

func TestWhatIsKeptForRecoveryExpires(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		n := w.server.Of("/")
		for range 50 {
			c := w.dial()
			c.enter("/", "")
			_ = n.Sockets()[0].Join("a", "b")
			_ = n.Emit("m", strings.Repeat("x", 100))
			c.close()
		}
		if sessions, records, bytes := n.RecoveryForTest(); sessions != 50 || records != 50 || bytes < 5000 {
			t.Errorf("got %d sessions, %d records, %d bytes", sessions, records, bytes)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if sessions, records, bytes := n.RecoveryForTest(); sessions != 0 || records != 0 || bytes != 0 {
			t.Errorf("later: got %d sessions, %d records, %d bytes", sessions, records, bytes)
		}
		_ = n.Emit("m")
		if _, records, _ := n.RecoveryForTest(); records != 0 {
			t.Error("an event that nobody can miss was kept")
		}
	})
}

// Whatever happens at the same time, a client that comes back has every event once, in order.
func TestNothingIsLostOrDoubledWhileClientsComeAndGo(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		n := w.server.Of("/")
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; ; i++ {
				select {
				case <-stop:
					_ = n.To("r").Emit("end", i)
					return
				case <-time.After(time.Millisecond):
				}
				_ = n.To("r").Emit("m", i)
			}
		}()
		c := w.dial()
		_, p, _ := c.enter("/", "")
		_ = n.Socket(socketio.SocketID(p.SID)).Join("r")
		var all []string
		for range 50 {
			time.Sleep(3 * time.Millisecond)
			c.close()
			all = append(all, p.hear(t, c.take())...)
			time.Sleep(2 * time.Millisecond)
			c = w.dial()
			c.send("0{" + p.back() + "}")
		}
		close(stop)
		<-done
		all = append(all, p.hear(t, c.take())...)
		next := -1
		for _, packet := range all {
			var i int
			if _, err := fmt.Sscanf(packet, `2["m",%d]`, &i); err != nil {
				if !strings.HasPrefix(packet, `0{"sid":"`+p.SID) && !strings.HasPrefix(packet, `2["end"`) {
					t.Errorf("got %q", packet)
				}
				continue
			}
			if next >= 0 && i != next {
				t.Fatalf("got %d, want %d", i, next)
			}
			next = i + 1
		}
		if next < 100 {
			t.Errorf("got events until %d, want more", next)
		}
	})
}
