package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program that is told of a group by webhook is told of every acknowledged message, in order, though the server is killed
// again and again and the program refuses now and then. What comes again carries the id it had.
func TestWebhooksTellEverythingOverKills(t *testing.T) {
	told := newDiary()
	program := httptest.NewServer(told)
	t.Cleanup(program.Close)
	s := startServer(t, "--webhook-network", "127.0.0.1")
	makeWebhook(t, s, program.URL)

	l := newLedger()
	ctx, cancel := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for i := range 3 {
		crowd.Go(func() { mutter(ctx, s, fmt.Sprintf("sender-%d", i), l) })
	}
	for range pick(3, 20) {
		awaitAcks(ctx, t, l, l.acks()+20)
		pause(rand.N(300 * time.Millisecond))
		killServer(t, s)
	}
	awaitAcks(ctx, t, l, l.acks()+20)
	cancel()
	crowd.Wait()
	left, progress := told.missing(l), time.Now() // how long it takes in all is up to how often the program refuses
	for ; left > 0; pause(20 * time.Millisecond) {
		if now := told.missing(l); now < left {
			left, progress = now, time.Now()
		} else if time.Since(progress) > time.Minute {
			t.Fatalf("%d of %d acknowledged messages are not told", left, l.acks())
		}
	}
	for _, complaint := range told.complain() {
		t.Error(complaint)
	}
	t.Logf("%d messages acknowledged; %d told, %d of them again, %d refused", l.acks(), len(told.ids), told.again, told.refused)
}

// mutter is a person who says one thing after the other, not too fast, and comes back until ctx ends.
func mutter(ctx context.Context, s *server, name string, l *ledger) {
	me := &person{server: s, name: name}
	for n := 0; ctx.Err() == nil; pause(20 * time.Millisecond) {
		visit, err := me.settle(ctx, newLedger()) // what it hears is another test's business
		if err != nil {
			continue
		}
		for ; ctx.Err() == nil; n++ {
			p := promise{sender: name, clientID: fmt.Sprintf("%s:%d", name, n), text: "hear"}
			answer, err := visit.say(ctx, p.clientID, p.text)
			if err != nil {
				break
			}
			p.seq = answer.row().Seq
			l.ack(p)
			pause(5 * time.Millisecond)
		}
		visit.leave()
	}
}

// makeWebhook has a member make the room, and a webhook that tells a program of it.
func makeWebhook(t *testing.T, s *server, url string) {
	t.Helper()
	add := exec.CommandContext(t.Context(), s.args[0], "user", "add", "owner", "--data", s.data)
	add.Stdin = strings.NewReader("a password of its own\n")
	if said, err := add.CombinedOutput(); err != nil {
		t.Fatalf("qun user add: %v\n%s", err, said)
	}
	owner := &person{server: s, name: "owner", token: signIn(t, s, "owner", "a password of its own")}
	visit, err := owner.arrive(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer visit.leave()
	if _, err := visit.enter(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	hook := map[string]any{"groupId": visit.group, "kind": "outgoing", "name": "diary", "url": url, "events": []string{"message"}}
	if err := visit.ask(t.Context(), "createWebhook", hook); err != nil {
		t.Fatal(err)
	}
}

// signIn returns a member's token.
func signIn(t *testing.T, s *server, username, password string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"username": username, "password": password, "token": true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/session", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	w, err := web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	var in struct{ Token string }
	if err := json.NewDecoder(w.Body).Decode(&in); err != nil || in.Token == "" {
		t.Fatalf("sign in: %s, %v", w.Status, err)
	}
	return in.Token
}

// diary is a program that writes down what it is told, and refuses one telling in sixty: each is tried again after some seconds.
type diary struct {
	mu         sync.Mutex        // guards below
	ids        map[string]string // of the tellings, by clientId
	last       int64             // seq
	again      int
	refused    int
	complaints []string
}

func newDiary() *diary { return &diary{ids: map[string]string{}} }

func (d *diary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var told row
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
		d.note("a body that cannot be read: %v", err)
	}
	if rand.IntN(60) == 0 {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if told.Kind == "text" {
		d.write(told, r.Header.Get("Webhook-Id"))
	}
}

func (d *diary) write(told row, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, known := d.ids[told.ClientID]
	switch {
	case known && before != id:
		d.complaints = append(d.complaints, fmt.Sprintf("%s was told as %q and again as %q", told.ClientID, before, id))
	case known:
		d.again++
	case id == "" || told.Seq <= d.last:
		d.complaints = append(d.complaints, fmt.Sprintf("%d was told after %d, with id %q", told.Seq, d.last, id))
	default:
		d.last = told.Seq
	}
	d.ids[told.ClientID] = id
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.complaints = append(d.complaints, fmt.Sprintf(format, args...))
}

// missing counts what was acknowledged and not told yet.
func (d *diary) missing(l *ledger) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range l.acked {
		if _, ok := d.ids[p.clientID]; !ok {
			n++
		}
	}
	return n
}

func (d *diary) complain() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.complaints
}
