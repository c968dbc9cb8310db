package gateway

import (
	"context"
	"sync"
	"time"

	"qun/internal/chat"
)

const (
	// maxReaders is up to how many members a group hears by itself who has read how far; those of larger ones ask.
	maxReaders = 50
	// readsEvery is how long cursors are gathered before a group is told of them.
	readsEvery = time.Second
)

type readUpToIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
}

// readUpTo moves the user's cursor; the user's other devices hear of it by `me`, small groups by `read`.
func (g *Gateway) readUpTo(ctx context.Context, _ *client, who *chat.User, in readUpToIn) (*chat.ReadState, error) {
	state, err := g.chat.ReadUpTo(ctx, who, in.GroupID, in.Seq)
	if err == nil && state.Moved && state.MemberCount <= maxReaders {
		g.reads.note(in.GroupID, who.ID, state.ReadSeq)
	}
	return state, err
}

// reads gathers how far people have read, so that a group hears of many in one frame.
type reads struct {
	// Set once.
	every time.Duration
	tell  func(chat.GroupID, map[chat.UserID]chat.Seq)

	mu      sync.Mutex // guards below; never held while telling
	pending map[chat.GroupID]map[chat.UserID]chat.Seq
	timer   *time.Timer // nil while nothing is pending
	closed  bool
}

func (r *reads) note(g chat.GroupID, u chat.UserID, seq chat.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if r.pending == nil {
		r.pending = map[chat.GroupID]map[chat.UserID]chat.Seq{}
	}
	if r.pending[g] == nil {
		r.pending[g] = map[chat.UserID]chat.Seq{}
	}
	r.pending[g][u] = max(r.pending[g][u], seq)
	if r.timer == nil {
		r.timer = time.AfterFunc(r.every, r.flush)
	}
}

func (r *reads) flush() {
	r.mu.Lock()
	pending := r.pending
	r.pending, r.timer = nil, nil
	r.mu.Unlock()
	for g, seqs := range pending {
		r.tell(g, seqs)
	}
}

func (r *reads) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.pending = true, nil
	if r.timer != nil {
		r.timer.Stop()
	}
}

// readPush says how far members have read.
type readPush struct {
	GroupID chat.GroupID             `json:"groupId"`
	Seqs    map[chat.UserID]chat.Seq `json:"seqs"`
}

// tellReads tells a group's full clients, as far as they can take it now.
func (g *Gateway) tellReads(group chat.GroupID, seqs map[chat.UserID]chat.Seq) {
	g.hub.whisper(whisper{Event: "read", Groups: []chat.GroupID{group}, Volatile: true}, readPush{group, seqs})
}

type readsOut struct {
	Seqs map[chat.UserID]chat.Seq `json:"seqs"`
}

// readsOf is how far the members of a small group have read, as `read` tells it from then on.
func (g *Gateway) readsOf(ctx context.Context, _ *client, who *chat.User, in groupIn) (readsOut, error) {
	seqs, err := g.chat.Reads(ctx, who, in.GroupID, maxReaders)
	return readsOut{seqs}, err
}

type readByIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
	Cursor  string       `json:"cursor,omitempty"`
}

// readBy is a page of those who have read a message.
func (g *Gateway) readBy(ctx context.Context, _ *client, who *chat.User, in readByIn) (*chat.ReadBy, error) {
	return g.chat.ReadBy(ctx, who, in.GroupID, in.Seq, in.Cursor)
}
