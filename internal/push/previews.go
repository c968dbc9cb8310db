package push

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"qun/internal/chat"
)

const (
	// maxLooking bounds the links that are looked at at once.
	maxLooking = 8
	// remember is how long what was found behind a link is known, for who sends the same; nothing is known for less long.
	remember, rememberNothing = 10 * time.Minute, time.Minute
	// maxKnown bounds what is known, in bytes; each page counts as leastKnown at least.
	maxKnown   = 32 << 20
	leastKnown = 4 << 10
)

// Links lends links that wait for a preview, and takes what was found: the chat.
type Links interface {
	ClaimLinks(ctx context.Context, limit int) ([]*chat.Link, error)
	// SettleLink ends a loan. No page: there is nothing to show.
	SettleLink(ctx context.Context, l *chat.Link, page *chat.Page) error
}

// PreviewConfig says how a Previewer behaves.
type PreviewConfig struct {
	Client *http.Client     // reaches the pages; nil: NewPageClient(&Dialer{Web: true})
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: discards. No addresses
}

// Previewer looks at the links that are sent, from Start to Close. It is one of the chat's Notifiers: what it hears is
// a hint, what waits it is lent by the chat.
type Previewer struct {
	// Set once.
	cfg   PreviewConfig
	links Links
	bell  chan struct{} // capacity 1: there may be a link, or a slot is free
	slots chan struct{} // a token for each link that is looked at
	known known

	end     context.CancelFunc
	working sync.WaitGroup
}

var _ chat.Notifier = (*Previewer)(nil)

// NewPreviewer makes a Previewer, which may be told of links before Start.
func NewPreviewer(cfg PreviewConfig) *Previewer {
	if cfg.Client == nil {
		cfg.Client = NewPageClient(&Dialer{Web: true})
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Previewer{
		cfg: cfg, bell: make(chan struct{}, 1), slots: make(chan struct{}, maxLooking),
		known: known{now: cfg.Now, pages: map[string]*found{}},
	}
}

// Start begins to look at links: at those that were left over, too.
func (p *Previewer) Start(links Links) {
	ctx, cancel := context.WithCancel(context.Background())
	p.links, p.end = links, cancel
	p.working.Go(func() { p.run(ctx) })
}

// Close breaks off what is being looked at and waits for its end: it is looked at again after the next start.
func (p *Previewer) Close() {
	if p.end != nil {
		p.end()
	}
	p.working.Wait()
	p.cfg.Client.CloseIdleConnections()
}

// Notify hears that there may be a link.
func (p *Previewer) Notify(e chat.Event) {
	m := e.Message
	if m == nil && e.Change != nil {
		if m = e.Change.Message; m == nil && e.Change.Seq > 0 {
			p.ring() // changed, and not shown here
			return
		}
	}
	if m != nil && strings.Contains(m.Text, "://") {
		p.ring()
	}
}

func (p *Previewer) ring() {
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

// run hands links out until ctx ends, and waits for who looks at them.
func (p *Previewer) run(ctx context.Context) {
	var looking sync.WaitGroup
	defer looking.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.bell:
		case <-timer.C:
		}
		timer.Reset(sweep)
		free := cap(p.slots) - len(p.slots) // only this goroutine takes any
		if free == 0 {
			continue
		}
		lent, err := p.links.ClaimLinks(ctx, free)
		if err != nil && ctx.Err() == nil {
			p.cfg.Logger.Error("look for links", "error", err)
		}
		for _, l := range lent {
			p.slots <- struct{}{}
			looking.Go(func() {
				defer p.ring()
				defer func() { <-p.slots }()
				p.preview(ctx, l)
			})
		}
	}
}

// preview looks at a link, and tells the chat what is there.
func (p *Previewer) preview(ctx context.Context, l *chat.Link) {
	page := p.known.page(ctx, l.URL, func() *chat.Page {
		page, err := look(ctx, p.cfg.Client, l.URL)
		if err != nil {
			p.cfg.Logger.Debug("a link has no preview", "group", l.Group, "seq", l.Seq, "reason", err)
		}
		return page
	})
	if ctx.Err() != nil {
		return // broken off by us: that says nothing of the page
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := p.links.SettleLink(settling, l, page); err != nil {
		p.cfg.Logger.Error("show a preview", "group", l.Group, "seq", l.Seq, "error", err) // it is looked at again
	}
}

// known is what was found behind links a while ago: who sends the same link is not looked for again.
type known struct {
	now func() time.Time

	mu    sync.Mutex // guards below
	pages map[string]*found
	bytes int
}

// found is what is behind a link, once done is closed.
type found struct {
	done  chan struct{}
	page  *chat.Page // nil: nothing
	until time.Time
	bytes int
}

// page is what is behind a link. Only one looks at a time; the others wait for it, or until ctx ends.
func (k *known) page(ctx context.Context, url string, look func() *chat.Page) *chat.Page {
	k.mu.Lock()
	f := k.pages[url]
	if f != nil && (f.until.IsZero() || k.now().Before(f.until)) {
		k.mu.Unlock()
		select {
		case <-f.done:
			return f.page
		case <-ctx.Done():
			return nil
		}
	}
	k.forget(url)
	f = &found{done: make(chan struct{})}
	k.pages[url] = f
	k.mu.Unlock()

	f.page = look()
	k.mu.Lock()
	defer k.mu.Unlock()
	defer close(f.done)
	if ctx.Err() != nil {
		delete(k.pages, url)
		return nil
	}
	f.until = k.now().Add(remember)
	f.bytes = leastKnown
	if f.page == nil {
		f.until = k.now().Add(rememberNothing)
	} else {
		f.bytes += len(f.page.Title) + len(f.page.Description) + len(f.page.Picture)
	}
	k.bytes += f.bytes
	k.shrink()
	return f.page
}

// shrink forgets what is old, and then anything, until little enough is known.
func (k *known) shrink() {
	now := k.now()
	for url, f := range k.pages {
		if !f.until.IsZero() && now.After(f.until) {
			k.forget(url)
		}
	}
	for url, f := range k.pages {
		if k.bytes <= maxKnown {
			return
		}
		if !f.until.IsZero() {
			k.forget(url)
		}
	}
}

func (k *known) forget(url string) {
	if f := k.pages[url]; f != nil {
		k.bytes -= f.bytes
		delete(k.pages, url)
	}
}
