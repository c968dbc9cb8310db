package redisadapter

import "sync"

// A message is bytes on a channel.
type message struct {
	channel string
	payload []byte
}

// A queue keeps messages until somebody takes them. What there is no room for is not kept. The queue rings its bell when
// there is something.
type queue struct {
	maxCount, maxBytes int
	bell               chan struct{} // of capacity 1

	mu       sync.Mutex // guards below
	messages []message
	bytes    int
	dropped  uint64
}

func newQueue(cfg *Config) *queue {
	return &queue{maxCount: cfg.MaxQueued, maxBytes: cfg.MaxQueuedBytes, bell: make(chan struct{}, 1)}
}

// put reports whether there was room. An empty queue takes any message.
func (q *queue) put(m message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.messages); n > 0 && (n >= q.maxCount || q.bytes+m.size() > q.maxBytes) {
		q.dropped++
		return false
	}
	q.messages = append(q.messages, m)
	q.bytes += m.size()
	select {
	case q.bell <- struct{}{}:
	default:
	}
	return true
}

func (m *message) size() int { return len(m.channel) + len(m.payload) }

// take returns the messages that wait, no more than that many.
func (q *queue) take(most int) []message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.messages))
	taken := q.messages[:n:n]
	q.messages = q.messages[n:]
	for i := range taken {
		q.bytes -= taken[i].size()
	}
	if len(q.messages) == 0 {
		q.messages = nil
	} else {
		select {
		case q.bell <- struct{}{}:
		default:
		}
	}
	return taken
}

func (q *queue) state() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.messages), q.dropped
}
