package chat

import (
	"sync"

	"qun/internal/names"
)

// maxBars bounds the bars in memory.
const maxBars = 1 << 14

// bars keep out guests without a token who were put out: by name and address, for nothing else of them comes back. They
// are in memory only: a restart lifts them.
type bars struct {
	mu    sync.Mutex // guards below
	until map[bar]Time
}

type bar struct {
	group   GroupID
	name    string // what it looks like
	address string
}

func newBars() *bars { return &bars{until: map[bar]Time{}} }

func (b *bars) put(g GroupID, name string, addresses []string, until Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.until)+len(addresses) > maxBars {
		clear(b.until)
	}
	for _, address := range addresses {
		b.until[bar{g, names.Skeleton(name), address}] = until
	}
}

// holds reports whether somebody of that name at that address has to stay out.
func (b *bars) holds(g GroupID, name, address string, now Time) bool {
	if address == "" {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := bar{g, names.Skeleton(name), address}
	until, there := b.until[key]
	if there && until <= now {
		delete(b.until, key)
	}
	return until > now
}

// lift takes away what keeps a name out of a group.
func (b *bars) lift(g GroupID, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	skeleton := names.Skeleton(name)
	for key := range b.until {
		if key.group == g && key.name == skeleton {
			delete(b.until, key)
		}
	}
}
