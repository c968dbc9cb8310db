package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A checker that never complains proves nothing: each planted fault must be found, and a clean run must pass.
func TestLedgerFindsPlantedFaults(t *testing.T) {
	tests := []struct {
		name    string
		plant   func(l *ledger, history []row) []row
		finding string // "" for none
	}{
		{"nothing planted", func(_ *ledger, h []row) []row { return h }, ""},
		{"a message nobody got an ack for is kept", func(_ *ledger, h []row) []row {
			return append(h, row{Seq: 11, ClientID: "anna-6", Text: "unanswered"})
		}, ""},
		{"a message lost", func(_ *ledger, h []row) []row { return slices.Delete(h, 4, 5) }, "is lost"},
		{"the last message lost", func(_ *ledger, h []row) []row { return h[:len(h)-1] }, "is lost"},
		{"a message doubled", func(_ *ledger, h []row) []row {
			return append(h, row{Seq: 11, ClientID: h[3].ClientID, Text: h[3].Text})
		}, "kept twice"},
		{"two messages swapped in history", func(_ *ledger, h []row) []row {
			h[3], h[4] = h[4], h[3]
			return h
		}, "history has"},
		{"two messages swapped under their numbers", func(_ *ledger, h []row) []row {
			h[3].Seq, h[4].Seq = h[4].Seq, h[3].Seq
			h[3], h[4] = h[4], h[3]
			return h
		}, "and is kept as"},
		{"a text changed", func(_ *ledger, h []row) []row {
			h[3].Text = "something else"
			return h
		}, "and is kept as"},
		{"one sender's order turned round", func(l *ledger, h []row) []row {
			l.ack(promise{sender: "anna", clientID: "anna-0", seq: 1, text: "text 1"})
			return h
		}, "anna sent"},
		{"a hole in the pushes", func(l *ledger, h []row) []row {
			hears(l.listener("carl"), h, 1, 2, 4)
			return h
		}, "carl heard 4 after 2"},
		{"pushes swapped", func(l *ledger, h []row) []row {
			hears(l.listener("carl"), h, 1, 3, 2)
			return h
		}, "carl heard 3 after 1"},
		{"a push doubled", func(l *ledger, h []row) []row {
			hears(l.listener("carl"), h, 1, 2, 2)
			return h
		}, "carl heard 2 after 2"},
		{"the beginning missed", func(l *ledger, h []row) []row {
			carl := l.listener("carl")
			carl.entered(3)
			hears(carl, h, 5, 6)
			return h
		}, "carl entered at 3 and heard 5 first"},
		{"a push before the answer to joinRoom", func(l *ledger, h []row) []row {
			carl := l.listener("carl")
			hears(carl, h, 3, 4)
			carl.entered(3)
			return h
		}, ""},
		{"one hears another message under the same number", func(l *ledger, h []row) []row {
			l.listener("carl").hear(3, messageUnder("ben-9"))
			return h
		}, "another heard"},
		{"a message told and not kept", func(l *ledger, h []row) []row {
			l.listener("carl").hear(11, messageUnder("ben-9"))
			return h
		}, "was told under 11"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, history := quietRun()
			complaints := l.verify(test.plant(l, history))
			if test.finding == "" && len(complaints) > 0 {
				t.Errorf("got %q, want no complaints", complaints)
			}
			if test.finding != "" && !strings.Contains(strings.Join(complaints, "\n"), test.finding) {
				t.Errorf("got %q, want a complaint with %q", complaints, test.finding)
			}
		})
	}
}

// What a resident hears and shows is held against what is kept, too.
func TestTownFindsPlantedFaults(t *testing.T) {
	say := func(r *resident, group string, seqs ...int64) {
		for _, seq := range seqs {
			r.hear(push{GroupID: group, Seq: seq, ClientID: fmt.Sprint("anna-", seq)})
		}
	}
	tests := []struct {
		name    string
		plant   func(r *resident)
		finding string // "" for none
	}{
		{"nothing planted", func(r *resident) { say(r, "home", 1, 2, 3, 4) }, ""},
		{"a frame to a non-member", func(r *resident) { say(r, "home", 1, 2, 3, 4); say(r, "elsewhere", 1) }, "is no member"},
		{"a message lost on the way", func(r *resident) { say(r, "home", 1, 2, 4) }, "carl heard 4 after 2"},
		{"the last one lost", func(r *resident) { say(r, "home", 1, 2, 3) }, `carl shows "" as message 4`},
		{"a message doubled", func(r *resident) { say(r, "home", 1, 2, 2, 3, 4) }, "carl heard 2 after 2"},
		{"two swapped", func(r *resident) { say(r, "home", 1, 3, 2, 4) }, "carl heard 3 after 1"},
		{"a message nobody keeps", func(r *resident) { say(r, "home", 1, 2, 3, 4, 5) }, "carl shows 5 messages"},
		{"another after it came back", func(r *resident) {
			r.learn("home", groupSync{Head: 4, Latest: 4, Messages: []row{{Seq: 1, ClientID: "anna-1"}, {Seq: 2, ClientID: "ben"}, {Seq: 3, ClientID: "anna-3"}, {Seq: 4, ClientID: "anna-4"}}})
		}, `carl shows "ben" as message 2`},
	}
	history := make([]row, 4)
	for i := range history {
		history[i] = row{Seq: int64(i + 1), ClientID: fmt.Sprint("anna-", i+1)}
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &town{books: newBooks()}
			r := w.newResident("carl")
			r.views["home"] = &view{from: 1, rows: map[int64]string{}}
			r.begin("home", 0)
			test.plant(r)
			complaints := slices.Concat(w.books.strays(), w.books.of("home").verify(history), r.compare("home", history))
			if test.finding == "" && len(complaints) > 0 {
				t.Errorf("got %q, want no complaints", complaints)
			}
			if !strings.Contains(strings.Join(complaints, "\n"), test.finding) {
				t.Errorf("got %q, want a complaint with %q", complaints, test.finding)
			}
		})
	}
}

// quietRun is a run in which all went well: two senders, ten messages, one listener.
func quietRun() (*ledger, []row) {
	l := newLedger()
	var history []row
	ear := l.listener("dora")
	for seq := int64(1); seq <= 10; seq++ {
		sender := [...]string{"anna", "ben"}[seq%2]
		p := promise{sender: sender, clientID: fmt.Sprintf("%s-%d", sender, seq/2), seq: seq, text: fmt.Sprint("text ", seq)}
		l.ack(p)
		ear.hear(seq, messageUnder(p.clientID))
		history = append(history, row{Seq: seq, ClientID: p.clientID, Text: p.text, Kind: "text"})
	}
	return l, history
}

func hears(h *listener, history []row, numbers ...int64) {
	for _, n := range numbers {
		h.hear(n, messageUnder(history[n-1].ClientID))
	}
}
