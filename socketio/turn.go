package socketio

import "sync"

// A turn is a lock that is held while handlers run, so perhaps for long. Unlike behind a sync.Mutex, who waits for it
// counts as idle in tests with virtual time.
type turn struct {
	mu   sync.Mutex // guards below; held for a moment only
	held bool
	free chan struct{} // closed when the turn is free again; nil while nobody waits
}

func (t *turn) lock() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.held {
		if t.free == nil {
			t.free = make(chan struct{})
		}
		free := t.free
		t.mu.Unlock()
		<-free
		t.mu.Lock()
	}
	t.held = true
}

func (t *turn) unlock() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = false
	if t.free != nil {
		close(t.free)
		t.free = nil
	}
}
