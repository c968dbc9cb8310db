package engineio

import (
	"runtime/debug"
	"sync"
)

// An input is the bounded queue of what a session has received and its Handler has not seen.
type input struct {
	mu       sync.Mutex    // guards below; never held while the Handler is called
	batch    *batch        // nil while nothing waits
	opened   bool          // OnOpen has been called
	finished bool          // the end is decided: no message is added, OnClose comes after the last
	running  bool          // a goroutine is lent to the session
	over     bool          // OnClose has been called
	room     chan struct{} // closed when a waiting push may go on; nil while none waits
}

// A batch is messages that are handled in one go. Batches are lent to the sessions that have input.
type batch struct {
	messages []Message
	bytes    int
}

var batches = sync.Pool{New: func() any { return &batch{messages: make([]Message, 0, 4)} }}

// recycle takes the batch back when its messages have been handled.
func (b *batch) recycle() {
	if cap(b.messages) <= 64 {
		clear(b.messages)
		b.messages, b.bytes = b.messages[:0], 0
		batches.Put(b)
	}
}

// push queues a message, and waits while the queue is full. It returns false if the session ended meanwhile.
// Any number of goroutines may push; their own order is kept.
func (in *input) push(m Message, cfg *Config) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.finished && in.full(m, cfg) {
		if in.room == nil {
			in.room = make(chan struct{})
		}
		room := in.room
		in.mu.Unlock()
		<-room
		in.mu.Lock()
	}
	if in.finished {
		return false
	}
	in.add(m)
	return true
}

// offer queues a message if there is room, or drops it if the session has ended. It returns false if there is no room.
func (in *input) offer(m Message, cfg *Config) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.finished:
	case in.full(m, cfg):
		return false
	default:
		in.add(m)
	}
	return true
}

func (in *input) full(m Message, cfg *Config) bool {
	b := in.batch
	return b != nil && (len(b.messages) >= cfg.InputMessages || b.bytes+len(m.Data) > cfg.InputBytes)
}

func (in *input) add(m Message) {
	if in.batch == nil {
		in.batch = batches.Get().(*batch)
	}
	in.batch.messages = append(in.batch.messages, m)
	in.batch.bytes += len(m.Data)
}

// finish says that the session has ended. Who waits for room is let go.
func (in *input) finish() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.finished = true
	in.makeRoom()
}

func (in *input) makeRoom() {
	if in.room != nil {
		close(in.room)
		in.room = nil
	}
}

// lend reports whether a goroutine must be started for what is queued.
func (in *input) lend() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.running || in.over {
		return false
	}
	in.running = true
	return true
}

type step byte

const (
	stepNone step = iota
	stepOpen
	stepMessages
	stepClose
)

// next takes what the lent goroutine does next. With stepNone it must return.
func (in *input) next() (step, *batch) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case !in.opened:
		in.opened = true
		return stepOpen, nil
	case in.batch != nil:
		b := in.batch
		in.batch = nil
		in.makeRoom()
		return stepMessages, b
	case in.finished && !in.over:
		in.over = true
		return stepClose, nil
	default:
		in.running = false
		return stepNone, nil
	}
}

// turn lends a goroutine to the session if it has none and there is something for its Handler. Calls to the Handler are
// thereby one at a time and in order, may block, and leave nothing on the stacks of the goroutines that wait for input.
func (s *Session) turn() {
	if s.in.lend() {
		s.shard.crew.serve(s)
	}
}

// takeTurn calls the Handler for everything that waits.
func (s *Session) takeTurn() {
	for {
		what, batch := s.in.next()
		switch what {
		case stepNone:
			return
		case stepOpen:
			s.server.guard("observer", func() { s.server.cfg.Observer.SessionOpened(s.Transport()) })
			s.guard(func() { s.server.handler.OnOpen(s) })
		case stepMessages:
			for _, m := range batch.messages {
				if s.discard.Load() {
					break
				}
				s.guard(func() { s.server.handler.OnMessage(s, m) })
			}
			batch.recycle()
		case stepClose:
			reason, _ := s.reason.Load().(error)
			s.server.cfg.Logger.Debug("session closed", "reason", reason, "transport", s.Transport(), "remote", s.handshake.RemoteAddr)
			s.guard(func() { s.server.handler.OnClose(s, reason) })
			s.server.guard("observer", func() { s.server.cfg.Observer.SessionClosed(s.Transport(), reason) })
			s.leave()
		}
	}
}

// guard calls the Handler so that a panic in it costs this session and nothing else.
func (s *Session) guard(call func()) {
	defer func() {
		if v := recover(); v != nil {
			s.server.cfg.Logger.Error("handler panicked", "panic", v, "stack", string(debug.Stack()))
			s.Close(ErrForcedClose)
		}
	}()
	call()
}
