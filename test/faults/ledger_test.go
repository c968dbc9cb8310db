package faults_test

import (
	"fmt"
	"sync"
)

// ledger writes down what a server promised (acks) and what it told (pushes), and compares it with what it kept (history).
// Its methods may be called from any goroutine.
type ledger struct {
	mu         sync.Mutex // guards below
	acked      []promise
	greatest   int64            // seq that was acknowledged
	told       map[int64]string // what stands under each number, as first heard
	complaints []string
}

// promise is an acknowledged message.
type promise struct {
	sender   string
	clientID string
	seq      int64
	text     string
}

// row is a message as history gives it.
type row struct {
	Seq      int64  `json:"seq"`
	ClientID string `json:"clientId"`
	Text     string `json:"message"`
	Kind     string `json:"kind"`
}

func newLedger() *ledger { return &ledger{told: map[int64]string{}} }

// ack notes that sender's message was acknowledged. A sender waits for each ack before it sends the next one.
func (l *ledger) ack(p promise) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked = append(l.acked, p)
	l.greatest = max(l.greatest, p.seq)
}

// top is the greatest number that was acknowledged.
func (l *ledger) top() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.greatest
}

// acks counts the promises so far.
func (l *ledger) acks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// listener is what one connection heard of the group's numbers.
type listener struct {
	ledger      *ledger
	name        string
	first, last int64 // 0: nothing yet
	head        int64 // the group's when it was entered; 0: not known yet
}

func (l *ledger) listener(name string) *listener { return &listener{ledger: l, name: name} }

// entered notes the head that came with the answer to joinRoom: all that follows it must be heard. Pushes may come before that
// answer, so either of them can be late.
func (h *listener) entered(head int64) {
	h.ledger.mu.Lock()
	defer h.ledger.mu.Unlock()
	h.head = head
	h.compareStart()
}

func (h *listener) compareStart() {
	if h.head != 0 && h.first > h.head+1 {
		h.ledger.complain("%s entered at %d and heard %d first", h.name, h.head, h.first)
	}
}

// hear notes the next push: its number must follow the last one, and mean the same to everybody.
func (h *listener) hear(number int64, what string) {
	h.ledger.mu.Lock()
	defer h.ledger.mu.Unlock()
	if h.first == 0 {
		h.first = number
		h.compareStart()
	} else if number != h.last+1 {
		h.ledger.complain("%s heard %d after %d", h.name, number, h.last)
	}
	h.last = number
	if first, known := h.ledger.told[number]; !known {
		h.ledger.told[number] = what
	} else if first != what {
		h.ledger.complain("%s heard %q under %d, another heard %q", h.name, what, number, first)
	}
}

// complain notes what is wrong; the lock is held.
func (l *ledger) complain(format string, args ...any) {
	if len(l.complaints) < 20 { // one fault shows itself in a thousand places
		l.complaints = append(l.complaints, fmt.Sprintf(format, args...))
	}
}

// verify compares with the whole history of the group, oldest first, and gives all complaints so far.
func (l *ledger) verify(history []row) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	byClientID := l.index(history)
	last := map[string]promise{}
	for _, p := range l.acked {
		kept, ok := byClientID[p.clientID]
		switch {
		case !ok:
			l.complain("%s was acknowledged as %d and is lost", p.clientID, p.seq)
		case kept.Seq != p.seq || kept.Text != p.text:
			l.complain("%s was acknowledged as %d %q and is kept as %d %q", p.clientID, p.seq, p.text, kept.Seq, kept.Text)
		}
		if before := last[p.sender]; p.seq <= before.seq {
			l.complain("%s sent %s (%d) after %s (%d)", p.sender, p.clientID, p.seq, before.clientID, before.seq)
		}
		last[p.sender] = p
	}
	l.compareTold(history)
	return l.complaints
}

// index finds rows by clientId, complaining of what comes twice or out of order.
func (l *ledger) index(history []row) map[string]row {
	found := make(map[string]row, len(history))
	var last int64
	for _, r := range history {
		if r.Seq <= last {
			l.complain("history has %d after %d", r.Seq, last)
		}
		last = r.Seq
		if r.ClientID == "" {
			continue
		}
		if twin, twice := found[r.ClientID]; twice {
			l.complain("%s is kept twice, as %d and %d", r.ClientID, twin.Seq, r.Seq)
		}
		found[r.ClientID] = r
	}
	return found
}

// compareTold finds messages that were announced and are not kept: they were told before they were durable.
func (l *ledger) compareTold(history []row) {
	kept := make(map[int64]string, len(history))
	for _, r := range history {
		kept[r.Seq] = messageUnder(r.ClientID)
	}
	for number, what := range l.told {
		if what != change && kept[number] != what {
			l.complain("%q was told under %d; kept is %q", what, number, kept[number])
		}
	}
}

// What can stand under a number.
const change = "a change"

func messageUnder(clientID string) string { return "message " + clientID }
