package engineio

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A trimmer gives memory back to the operating system after many sessions have come or gone. What handshakes and first
// requests left would otherwise stay with the process until as much is needed again, on an idle server for ever.
type trimmer struct {
	changes atomic.Int64 // sessions that came or went since the last look
	armed   atomic.Bool  // a look is due

	trimming sync.Mutex // held while memory is collected and given back

	mu      sync.Mutex // guards below; held for a moment only
	timer   *time.Timer
	stopped bool
}

const (
	trimAfter = 512              // changes make it worth a collection
	trimCalm  = 32               // more of them between two looks are no calm
	trimPause = 5 * time.Second  // between two looks
	trimLater = 30 * time.Second // until once more, for what newcomers ask at first
)

// note is called when a session comes or goes.
func (t *trimmer) note() {
	if t.changes.Add(1) >= trimAfter && t.armed.CompareAndSwap(false, true) {
		t.after(trimPause, t.look)
	}
}

// look trims if it is calm, and looks again later if it is not.
func (t *trimmer) look() {
	if t.changes.Swap(0) > trimCalm {
		t.after(trimPause, t.look)
		return
	}
	t.trim()
	t.armed.Store(false)
	t.after(trimLater, t.trim)
}

func (t *trimmer) trim() {
	t.trimming.Lock()
	defer t.trimming.Unlock()
	debug.FreeOSMemory()
}

func (t *trimmer) after(d time.Duration, act func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
	if !t.stopped {
		t.timer = time.AfterFunc(d, act)
	}
}

// stop waits until nothing is trimmed any more.
func (t *trimmer) stop() {
	t.mu.Lock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	t.trimming.Lock()
	t.trimming.Unlock() //nolint:staticcheck // the critical section was somebody else's
}
