package faults_test

import (
	"errors"
	"fmt"
	"testing"
)

// A message sent five times, each time over a new connection and once over a new process, is one message.
func TestRetriedMessageIsStoredOnce(t *testing.T) {
	s := startServer(t)
	ctx := t.Context()
	anna := &person{server: s, name: "安娜"}
	const clientID, text = "one-and-only", "说一次就够了"

	var first sent
	for attempt := 1; attempt <= 5; attempt++ {
		visit := anna.mustEnter(t, "retries")
		answer, err := visit.say(ctx, clientID, text)
		if err != nil {
			t.Fatalf("attempt %d: %v", attempt, err)
		}
		visit.leave()
		if answer.Duplicate != (attempt > 1) {
			t.Errorf("attempt %d: got duplicate %v", attempt, answer.Duplicate)
		}
		if attempt == 1 {
			first = answer
		} else if string(answer.Message) != string(first.Message) {
			t.Errorf("attempt %d: got %s, want %s", attempt, answer.Message, first.Message)
		}
		if attempt == 3 {
			s.kill(t)
			s.start(t)
		}
	}

	visit := anna.mustEnter(t, "retries")
	defer visit.leave()
	if _, err := visit.say(ctx, clientID, "something else"); !refusedWith(err, "CONFLICT") {
		t.Errorf("another text under the same clientId: got %v, want CONFLICT", err)
	}
	history, err := visit.history(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, r := range history {
		if r.ClientID == clientID && r.Text == text {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("history holds the message %d times, want once: %v", kept, history)
	}
}

// Whoever was away gets what was missed: few lines with hello itself, many in pieces with sync, too many as a new beginning.
func TestReconnectBringsWhatWasMissed(t *testing.T) {
	s := startServer(t)
	for _, missed := range []int{0, 30, 700, 1100} {
		t.Run(fmt.Sprintf("%d messages", missed), func(t *testing.T) {
			room := fmt.Sprintf("missed %d", missed)
			anna, ben := &person{server: s, name: "anna"}, &person{server: s, name: "ben"}

			before := anna.mustEnter(t, room)
			spoken, err := before.say(t.Context(), "anna-0", "I was here") // and with that she is a member
			if err != nil {
				t.Fatal(err)
			}
			head := heardUpTo(t, before)
			before.leave()
			want := ben.says(t, room, missed)

			after := anna.catchUp(t, head)
			if after.reset != (missed > 1000) {
				t.Errorf("got reset %v after %d missed messages", after.reset, missed)
			}
			if after.reset {
				if len(after.texts) == 0 {
					t.Fatal("a new beginning without a page of messages")
				}
				want = want[len(want)-len(after.texts):]
			}
			compareTexts(t, after.texts, want)
			if spoken.row().Seq > head {
				t.Errorf("the own message %d lies beyond the head %d", spoken.row().Seq, head)
			}
		})
	}
}

// Heads that a server cannot know (of another life of it, or beyond its own) start anew instead of leaving a silent gap.
func TestForeignHeadsStartAnew(t *testing.T) {
	s := startServer(t)
	anna := &person{server: s, name: "anna"}
	visit := anna.mustEnter(t, "lives")
	defer visit.leave()
	if _, err := visit.say(t.Context(), "anna-0", "hello"); err != nil {
		t.Fatal(err)
	}
	for name, request := range map[string]map[string]any{
		"another epoch": {"epoch": "another life", "heads": map[string]int64{visit.group: 1}},
		"a head beyond": {"epoch": visit.epoch, "heads": map[string]int64{visit.group: 1 << 40}},
	} {
		var answer struct{ Groups map[string]groupSync }
		if err := visit.ask(t.Context(), "sync", request, &answer); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := answer.Groups[visit.group]; !got.Reset || len(got.Messages) == 0 {
			t.Errorf("%s: got %+v, want a reset with the newest page", name, got)
		}
	}
}

// groupSync is what sync says of one group.
type groupSync struct {
	Head, Latest int64
	Messages     []row
	More, Reset  bool
	Gone         string
}

// catchUpResult is what somebody knows after coming back.
type catchUpResult struct {
	texts []string
	reset bool
}

// catchUp comes back with the head it knows, as hello allows, and asks on with sync while there is more.
func (p *person) catchUp(t *testing.T, head int64) (got catchUpResult) {
	t.Helper()
	var hello greeting
	resume := map[string]any{"epoch": p.epoch, "heads": map[string]int64{p.group: head}}
	visit, err := p.arrive(t.Context(), resume, nil, &hello)
	if err != nil {
		t.Fatal(err)
	}
	defer visit.leave()
	part, found := hello.Sync.Groups[p.group]
	for rounds := 0; found; rounds++ {
		if rounds > 10 || part.Gone != "" {
			t.Fatalf("sync comes to no end: %+v", part)
		}
		got.reset = got.reset || part.Reset
		for _, r := range part.Messages {
			got.texts = append(got.texts, r.Text)
		}
		if !part.More {
			if part.Head != part.Latest {
				t.Errorf("complete up to %d of %d, and no more to ask for", part.Head, part.Latest)
			}
			break
		}
		part, found = visit.syncFrom(t, part.Head)
	}
	return got
}

func (v *visit) syncFrom(t *testing.T, head int64) (groupSync, bool) {
	t.Helper()
	var answer struct{ Groups map[string]groupSync }
	request := map[string]any{"epoch": v.epoch, "heads": map[string]int64{v.group: head}}
	if err := v.ask(t.Context(), "sync", request, &answer); err != nil {
		t.Fatal(err)
	}
	part, found := answer.Groups[v.group]
	return part, found
}

// mustEnter comes as a full client and enters the room.
func (p *person) mustEnter(t *testing.T, room string) *visit {
	t.Helper()
	visit, err := p.arrive(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := visit.enter(t.Context(), room); err != nil {
		visit.leave()
		t.Fatal(err)
	}
	return visit
}

// says sends n messages one after the other and gives their texts in the order of their numbers.
func (p *person) says(t *testing.T, room string, n int) []string {
	t.Helper()
	visit := p.mustEnter(t, room)
	defer visit.leave()
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("line %d", i)
		if _, err := visit.say(t.Context(), fmt.Sprintf("%s-%d", p.name, i), texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// heardUpTo is the group's head as getGroup says it.
func heardUpTo(t *testing.T, v *visit) int64 {
	t.Helper()
	var answer struct{ Group struct{ Head int64 } }
	if err := v.ask(t.Context(), "getGroup", map[string]any{"groupId": v.group}, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Group.Head
}

func compareTexts(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d messages, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("message %d is %q, want %q", i, got[i], want[i])
			return
		}
	}
}

func refusedWith(err error, code string) bool {
	r, refused := errors.AsType[*refusal](err)
	return refused && r.Code == code
}
