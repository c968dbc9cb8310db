package redisadapter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"qun/socketio"
	"qun/socketio/redisadapter"
)

const (
	self  = socketio.ServerID("ssssssssssssssssssss")
	other = socketio.ServerID("oooooooooooooooooooo")
)

// hears returns an adapter without Redis that notes what it delivers.
func hears(t testing.TB, cfg redisadapter.Config) (a *redisadapter.Adapter, hear func(string, []byte), delivered *[]*socketio.Command) {
	t.Helper()
	delivered = new([]*socketio.Command)
	a, hear, err := redisadapter.Hears(cfg, self, func(c *socketio.Command) { *delivered = append(*delivered, c) })
	if err != nil {
		t.Fatal(err)
	}
	return a, hear, delivered
}

// deep is JSON that nests, and wide is a MessagePack array of arrays that announce more than there is.
func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestWhatNobodyShouldSendIsCountedAndDropped(t *testing.T) {
	manyRooms, _ := json.Marshal(make([]string, 101))
	for name, m := range map[string]struct{ channel, payload string }{
		"nothing":                     {"socket.io#/#", ""},
		"a channel of no kind":        {"socket.io-else#/#", "{}"},
		"a channel without an end":    {"socket.io#/", "\x93\xa1x\x80\x80"},
		"no MessagePack":              {"socket.io#/#", "\xc1"},
		"no array":                    {"socket.io#/#", "\x80"},
		"too short an array":          {"socket.io#/#", "\x92\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/"},
		"more behind the array":       {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x80\xc0"},
		"a cut message":               {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91"},
		"an array of four billion":    {"socket.io#/#", "\xdd\xff\xff\xff\xff"},
		"a string of four billion":    {"socket.io#/#", "\x93\xdb\xff\xff\xff\xff"},
		"nesting in MessagePack":      {"socket.io#/#", "\x93\xa1x" + strings.Repeat("\x91", 50_000) + "\xc0\x80"},
		"nesting in JSON":             {"socket.io-request#/#", `{"type":6,"data":` + deep(50_000) + "}"},
		"nesting beyond that of args": {"socket.io-request#/#", `{"type":6,"data":` + deep(40) + "}"},
		"another namespace":           {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa2/a\x80"},
		"a packet that is no event":   {"socket.io#/#", "\x93\xa1x\x83\xa4type\x00\xa4data\x91\xa1e\xa3nsp\xa1/\x80"},
		"an event without a name":     {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x90\xa3nsp\xa1/\x80"},
		"a name that is no string":    {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\x80\xa3nsp\xa1/\x80"},
		"a uid that is no string":     {"socket.io#/#", "\x93\x01\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x80"},
		"rooms that are maps":         {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x81\xa5rooms\x91\x80"},
		"bytes that are no UTF-8":     {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1\xff\xa3nsp\xa1/\x80"},
		"too many attachments":        {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\xdc\x00\x66\xa1e" + strings.Repeat("\xc4\x00", 101) + "\xa3nsp\xa1/\x80"},
		"too many rooms":              {"socket.io-request#/#", `{"type":2,"opts":{"rooms":[],"except":[]},"rooms":` + string(manyRooms) + "}"},
		"too large a message":         {"socket.io-request#/#", `{"type":6,"data":["` + strings.Repeat("x", 1<<20) + `"]}`},
		"no JSON":                     {"socket.io-request#/#", "{"},
		"a request of unknown type":   {"socket.io-request#/#", `{"type":10}`},
		"a type that is no integer":   {"socket.io-request#/#", `{"type":2.5}`},
		"a request without options":   {"socket.io-request#/#", `{"type":5,"requestId":"a"}`},
		"a broadcast without packet":  {"socket.io-request#/#", `{"type":7,"requestId":"a","opts":{}}`},
		"an event without data":       {"socket.io-request#/#", `{"type":6}`},
		"an event that is no array":   {"socket.io-request#/#", `{"type":6,"data":{}}`},
		"an answer to nothing":        {"socket.io-response#/#", `{"sockets":[]}`},
		"an answer that says nothing": {"socket.io-response#/#", `{"requestId":"ssssssssssssssssssss.1"}`},
		"a count that is a string":    {"socket.io-response#/#", `{"type":8,"requestId":"ssssssssssssssssssss.1","clientCount":"3"}`},
	} {
		a, hear, delivered := hears(t, redisadapter.Config{MaxMessage: 1 << 20, MaxRooms: 100, MaxAttachments: 100})
		hear(m.channel, []byte(m.payload))
		if len(*delivered) > 0 {
			t.Errorf("%s: delivered %+v", name, (*delivered)[0])
		}
		if got := a.Stats().Malformed; got != 1 {
			t.Errorf("%s: counted %d, want 1", name, got)
		}
	}
}

func TestWhatNobodyShouldSendIsCountedAndDroppedSharded(t *testing.T) {
	for name, m := range map[string]struct{ channel, payload string }{
		"nothing":                    {"socket.io#/#", ""},
		"no JSON":                    {"socket.io#/#", "{"},
		"no object":                  {"socket.io#/#", "\x90"},
		"no data":                    {"socket.io#/#", `{"type":3,"uid":"x","nsp":"/"}`},
		"another namespace":          {"socket.io#/#", `{"type":4,"uid":"x","nsp":"/a","data":{"opts":{},"rooms":[]}}`},
		"an unknown type":            {"socket.io#/#", `{"type":99,"uid":"x","nsp":"/","data":{}}`},
		"a broadcast without packet": {"socket.io#/#", `{"type":3,"uid":"x","nsp":"/","data":{"opts":{}}}`},
		"a broadcast of no event":    {"socket.io#/#", `{"type":3,"uid":"x","nsp":"/","data":{"opts":{},"packet":{"type":0}}}`},
		"no options":                 {"socket.io#/#", `{"type":3,"uid":"x","nsp":"/","data":{"packet":{"type":2,"data":["e"]}}}`},
		"no rooms to join":           {"socket.io#/#", `{"type":4,"uid":"x","nsp":"/","data":{"opts":{}}}`},
		"an event without data":      {"socket.io#/#", `{"type":9,"uid":"x","nsp":"/","data":{}}`},
		"a count of nothing":         {"socket.io#/#", `{"type":11,"uid":"x","nsp":"/","data":{"requestId":"a"}}`},
		"nesting":                    {"socket.io#/#", `{"type":9,"uid":"x","nsp":"/","data":{"packet":` + deep(50_000) + "}}"},
		"nesting in MessagePack":     {"socket.io#/#", "\x81\xa4data" + strings.Repeat("\x91", 50_000) + "\xc0"},
	} {
		a, hear, delivered := hears(t, redisadapter.Config{Mode: redisadapter.Sharded})
		hear(m.channel, []byte(m.payload))
		if len(*delivered) > 0 {
			t.Errorf("%s: delivered %+v", name, (*delivered)[0])
		}
		if got := a.Stats().Malformed; got != 1 {
			t.Errorf("%s: counted %d, want 1", name, got)
		}
	}
}

func TestUnusualMessagesAreUnderstood(t *testing.T) {
	for name, m := range map[string]struct{ channel, payload, want string }{
		"rooms that are numbers": {"socket.io#/#7#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x81\xa5rooms\x91\x07", "broadcast / [7] e []"},
		"no namespace":           {"socket.io#/#", "\x93\xa1x\x82\xa4type\x02\xa4data\x91\xa1e\x80", "broadcast / [] e []"},
		"a namespace with #":     {"socket.io-request#/a#b#", `{"type":1,"requestId":"a"}`, "request /a#b [] rooms []"},
		"sockets by id":          {"socket.io-request#/#", `{"type":0,"requestId":"a","rooms":["r"]}`, "request / [r] ids []"},
		"a request in MessagePack": {
			"socket.io-request#/#", "\x82\xa4type\x06\xa4data\x92\xa1e\xc4\x01x", `request / [] event ["e",{"_placeholder":true,"num":0}]`,
		},
		"a Buffer in a string": {
			"socket.io-request#/#", `{"type":6,"data":["{\"type\":\"Buffer\",\"data\":[1]}"]}`, `request / [] event ["{\"type\":\"Buffer\",\"data\":[1]}"]`,
		},
		"a Buffer of no octets": {
			"socket.io-request#/#", `{"type":6,"data":[{"type":"Buffer","data":[256]}]}`, `request / [] event [{"type":"Buffer","data":[256]}]`,
		},
		"a Buffer beside a placeholder": {
			"socket.io-request#/#", `{"type":6,"data":[{"_placeholder":true,"num":7},{"type":"Buffer","data":[1]}]}`,
			`request / [] event [{"_placeholder":true,"num":7},{"type":"Buffer","data":[1]}]`,
		},
		"a timeout beyond all": {"socket.io-request#/#", `{"type":7,"requestId":"a","packet":{"type":2,"data":["e"]},"opts":{"flags":{"timeout":1e300}}}`, "broadcast / [] e []"},
	} {
		_, hear, delivered := hears(t, redisadapter.Config{})
		hear(m.channel, []byte(m.payload))
		if len(*delivered) != 1 {
			t.Errorf("%s: delivered %d commands", name, len(*delivered))
			continue
		}
		c := (*delivered)[0]
		if got := fmt.Sprintf("%v %s %v %s %s", c.Kind, c.Namespace, c.Rooms, c.Event, c.Args.JSON()); got != m.want {
			t.Errorf("%s: got %s, want %s", name, got, m.want)
		}
	}
}

func TestAnswersToOthersAreNotHeard(t *testing.T) {
	a, hear, delivered := hears(t, redisadapter.Config{})
	hear("socket.io-response#/#", []byte(`{"type":8,"requestId":"Ab12cd","clientCount":1}`))
	hear("socket.io-response#/#", []byte(`{"type":8,"requestId":"`+string(other)+`.1","clientCount":1}`))
	hear("socket.io-response#/#", []byte(`{"type":8,"requestId":"`+string(self)+`.1","clientCount":1}`))
	hear("socket.io-response#/#", []byte(`{"type":8,"requestId":"`+string(self)+`.1","clientCount":1}`))
	if len(*delivered) != 2 || (*delivered)[0].From == (*delivered)[1].From {
		t.Errorf("delivered %d answers; want two, of different servers", len(*delivered))
	}
	if got := a.Stats(); got.Malformed != 0 || got.Received != 4 {
		t.Errorf("got %+v", got)
	}
}

func TestOthersActOnlyWhereTheyMay(t *testing.T) {
	news := redisadapter.Rooms("/", "news", "sports")
	const join = `{"type":2,"opts":{"rooms":["news"],"except":[]},"rooms":["sports","secret"]}`
	for name, m := range map[string]struct{ channel, payload, want string }{
		"a room":             {"socket.io-request#/#", `{"type":4,"opts":{"rooms":["news"],"except":[]}}`, "disconnect [news] []"},
		"another room":       {"socket.io-request#/#", `{"type":4,"opts":{"rooms":["secret"],"except":[]}}`, ""},
		"one of two":         {"socket.io-request#/#", `{"type":4,"opts":{"rooms":["secret","sports"],"except":["x"]}}`, "disconnect [sports] []"},
		"all":                {"socket.io-request#/#", `{"type":4,"opts":{"rooms":[],"except":[]}}`, ""},
		"another namespace":  {"socket.io-request#/a#", `{"type":4,"opts":{"rooms":["news"],"except":[]}}`, ""},
		"joins":              {"socket.io-request#/#", join, "join [news] [sports]"},
		"joins elsewhere":    {"socket.io-request#/#", `{"type":2,"opts":{"rooms":["news"],"except":[]},"rooms":["secret"]}`, ""},
		"an event":           {"socket.io-request#/#", `{"type":6,"data":["e"]}`, ""},
		"a question":         {"socket.io-request#/#", `{"type":5,"requestId":"q","opts":{"rooms":["news"],"except":[]}}`, "request [news] []"},
		"a question too far": {"socket.io-request#/#", `{"type":5,"requestId":"q","opts":{"rooms":[],"except":[]}}`, "request [] []"},
		"rooms of all":       {"socket.io-request#/#", `{"type":1,"requestId":"q"}`, ""},
		"a broadcast":        {"socket.io#/#news#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x81\xa5rooms\x91\xa4news", "broadcast [news] []"},
		"a broadcast to all": {"socket.io#/#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x80", ""},
	} {
		a, hear, delivered := hears(t, redisadapter.Config{Allow: news})
		hear(m.channel, []byte(m.payload))
		got := ""
		for _, c := range *delivered {
			got = fmt.Sprintf("%v %v %v", c.Kind, c.Rooms, c.Joins)
		}
		if got != m.want {
			t.Errorf("%s: got %q, want %q", name, got, m.want)
		}
		if s := a.Stats(); s.Malformed != 0 || (m.want == "") != (s.Refused == 1) {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestWhoTakesBroadcastsAloneDoesNothingElse(t *testing.T) {
	a, hear, delivered := hears(t, redisadapter.Config{BroadcastsOnly: true})
	for _, request := range []string{
		`{"type":2,"opts":{"rooms":[],"except":[]},"rooms":["r"]}`, `{"type":4,"opts":{"rooms":[],"except":[]},"close":true}`,
		`{"type":5,"requestId":"a","opts":{}}`, `{"type":6,"data":["e"]}`,
		`{"type":7,"requestId":"a","packet":{"type":2,"data":["e"]},"opts":{"rooms":[],"except":[]}}`,
	} {
		hear("socket.io-request#/#", []byte(request))
	}
	if len(*delivered) > 0 || a.Stats().Refused != 5 {
		t.Errorf("delivered %d, refused %d", len(*delivered), a.Stats().Refused)
	}
	hear("socket.io#/#", []byte("\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\x80"))
	if len(*delivered) != 1 {
		t.Errorf("of a broadcast it delivered %d", len(*delivered))
	}
}

func TestRoomsThatAreNotOpenAreEmptyForWhoAsks(t *testing.T) {
	_, hear, delivered := hears(t, redisadapter.Config{Allow: redisadapter.Rooms("/", "news")})
	hear("socket.io-request#/#", []byte(`{"type":5,"requestId":"q","opts":{"rooms":["secret"],"except":[]}}`))
	if len(*delivered) != 1 || len((*delivered)[0].Rooms) != 1 || (*delivered)[0].Rooms[0] != "" {
		t.Fatalf("got %+v, want a question about nobody", *delivered)
	}
}

func TestOnlyWhoKnowsTheSecretIsTrusted(t *testing.T) {
	closed := func(string, socketio.Room) bool { return false }
	args, _ := socketio.ParseArgs([]byte(`["x",{"_placeholder":true,"num":0}]`), [][]byte{{1}})
	commands := []*socketio.Command{
		{Kind: socketio.KindBroadcast, Event: "e"},
		{Kind: socketio.KindBroadcast, Event: "e", Args: args, Rooms: []socketio.Room{"r"}},
		{Kind: socketio.KindBroadcast, Event: "e", Args: args, ID: string(other) + ".1"},
		{Kind: socketio.KindDisconnect, Rooms: []socketio.Room{"r"}},
		{Kind: socketio.KindRequest, Event: socketio.RequestEvent, Args: args},
	}
	for name, mode := range modes {
		for i, c := range commands {
			c.From, c.Namespace = other, "/"
			for secret, want := range map[string]int{"right": 1, "wrong": 0, "": 0} {
				sender, _, _ := hears(t, redisadapter.Config{Mode: mode, Secret: []byte(secret)})
				a, hear, delivered := hears(t, redisadapter.Config{Mode: mode, Secret: []byte("right"), Allow: closed})
				channel, payload, err := sender.Encode(c)
				if err != nil {
					t.Fatal(err)
				}
				hear(channel, bytes.Clone(payload))
				if len(*delivered) != want && c.ID == "" {
					t.Errorf("%s: command %d signed with %q: delivered %d, want %d (%+v)", name, i, secret, len(*delivered), want, a.Stats())
				}
				if len(*delivered) == 1 && want == 1 && (*delivered)[0].Event != c.Event {
					t.Errorf("%s: command %d came as %+v", name, i, (*delivered)[0])
				}
				if secret != "right" {
					continue
				}
				hear(channel+"x#", bytes.Clone(payload)) // at another place
				for at := range payload {
					tampered := bytes.Clone(payload)
					tampered[at] ^= 1
					hear(channel, tampered)
				}
				for _, d := range (*delivered)[min(1, len(*delivered)):] {
					if len(d.Rooms) != 1 || d.Rooms[0] != "" {
						t.Errorf("%s: command %d was changed on its way and delivered: %+v", name, i, d)
					}
				}
			}
			// Who knows nothing of it understands a signed message.
			signer, _, _ := hears(t, redisadapter.Config{Mode: mode, Secret: []byte("right")})
			_, hear, delivered := hears(t, redisadapter.Config{Mode: mode})
			channel, payload, _ := signer.Encode(c)
			hear(channel, payload)
			if len(*delivered) != 1 {
				t.Errorf("%s: command %d signed is not understood without the secret: %q", name, i, payload)
			}
		}
	}
}

func FuzzHear(f *testing.F) {
	for _, m := range redisadapter.MessagesForTest(f) {
		f.Add(m.Channel, m.Payload)
	}
	f.Add("socket.io-request#/#", []byte(`{"type":6,"data":[{"type":"Buffer","data":[1,2]}],"sig":"00"}`))
	f.Fuzz(func(t *testing.T, channel string, payload []byte) {
		for _, mode := range modes {
			cfg := redisadapter.Config{Mode: mode, Secret: []byte("s"), MaxMessage: 1 << 16, Allow: redisadapter.Rooms("/", "", "general")}
			a, hear, delivered := hears(t, cfg)
			hear(channel, payload)
			for _, c := range *delivered {
				if c.Kind == 0 || c.From == self || c.Args.JSON() == nil {
					t.Errorf("delivered %+v", c)
				}
				if c.Kind >= socketio.KindResponse && c.To != self {
					t.Errorf("delivered an answer to %q", c.To)
				}
				c.To = other
				if _, _, err := a.Encode(c); err != nil {
					t.Errorf("what was understood cannot be written: %+v: %v", c, err)
				}
			}
		}
	})
}
