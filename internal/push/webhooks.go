package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
)

const (
	// maxTelling bounds the webhooks that are told something at once, and maxPerHost those of them that lead to one host.
	maxTelling = 32
	maxPerHost = 4
	// lease is how long a webhook is lent to a worker, which begins nothing new after half of it.
	lease = time.Minute
	// page is how many events are read at a time.
	page = 50
	// crowded is how long a webhook waits when its host is told enough already.
	crowded = time.Second
	// settleTime bounds how long the store is waited for when something was told.
	settleTime = 15 * time.Second
)

// How long one event is tried before the next one has its turn: by how the target fails.
const (
	maxAnswered    = time.Hour      // it is there, and does not want this one
	maxUnreachable = 24 * time.Hour // it is not there
	// maxFailing is for how long a webhook may fail, without a single success, before it is switched off.
	maxFailing = 3 * 24 * time.Hour
)

// tellers tell outgoing webhooks.
type tellers struct {
	// Set once.
	cfg   Config
	store Store
	bell  chan struct{} // capacity 1: look at the store
	slots chan struct{} // a token for each webhook that is being told
	hosts hosts

	groups atomic.Pointer[map[chat.GroupID]bool] // with a webhook; what happens elsewhere is no news
	stale  atomic.Bool                           // groups is to be read again

	working sync.WaitGroup
}

func newTellers(store Store, cfg Config) *tellers {
	t := &tellers{cfg: cfg, store: store, bell: make(chan struct{}, 1), slots: make(chan struct{}, maxTelling)}
	t.groups.Store(&map[chat.GroupID]bool{})
	t.stale.Store(true)
	return t
}

// hint says that there is news in a group. It does not block.
func (t *tellers) hint(g chat.GroupID) {
	if (*t.groups.Load())[g] {
		t.ring()
	}
}

func (t *tellers) changed() {
	t.stale.Store(true)
	t.ring()
}

func (t *tellers) ring() {
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// run hands webhooks out to workers until ctx ends, and waits for them.
func (t *tellers) run(ctx context.Context) {
	defer t.working.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	swept := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.bell:
		case <-timer.C:
		}
		if now := t.cfg.Now(); now.Sub(swept) >= sweep {
			swept = now
			t.stale.Store(true)
		}
		wait, err := t.look(ctx)
		if err != nil && ctx.Err() == nil {
			t.cfg.Logger.Error("look for webhooks with news", "error", err)
		}
		timer.Reset(wait)
	}
}

// look hands out what is due, and says how long nothing else will be.
func (t *tellers) look(ctx context.Context) (time.Duration, error) {
	if t.stale.Swap(false) {
		if err := t.readGroups(ctx); err != nil {
			t.stale.Store(true)
			return sweep, err
		}
	}
	if len(*t.groups.Load()) == 0 {
		return sweep, nil
	}
	for {
		wait, err := t.wait(ctx)
		free := cap(t.slots) - len(t.slots) // only this goroutine takes any
		if err != nil || wait > 0 || free == 0 {
			return max(wait, time.Millisecond), err
		}
		lent, err := t.lend(ctx, free)
		if err != nil {
			return sweep, err
		}
		if lent == 0 { // somebody else is just at it
			return crowded, nil
		}
	}
}

// wait is how long until a webhook with news is due.
func (t *tellers) wait(ctx context.Context) (wait time.Duration, err error) {
	wait = sweep
	err = t.store.View(ctx, func(r chat.Reader) error {
		due, err := r.WebhooksDue()
		if errors.Is(err, chat.ErrNotFound) {
			return nil
		}
		wait = min(sweep, due.Std().Sub(t.cfg.Now()))
		return err
	})
	return wait, err
}

func (t *tellers) readGroups(ctx context.Context) error {
	return t.store.View(ctx, func(r chat.Reader) error {
		ids, err := r.WebhookGroups()
		if err != nil {
			return err
		}
		groups := make(map[chat.GroupID]bool, len(ids))
		for _, id := range ids {
			groups[id] = true
		}
		t.groups.Store(&groups)
		return nil
	})
}

// lend hands out up to free webhooks, and says how many. Each worker gives its slot back, and rings.
func (t *tellers) lend(ctx context.Context, free int) (int, error) {
	now := chat.TimeOf(t.cfg.Now())
	until := now + chat.Time(lease.Milliseconds())
	lent, err := t.store.ClaimWebhooks(ctx, now, until, free)
	for _, w := range lent {
		t.slots <- struct{}{}
		t.working.Go(func() {
			defer t.ring()
			defer func() { <-t.slots }()
			t.tell(ctx, w, until)
		})
	}
	return len(lent), err
}

// tell tells a webhook what is new, as far as it gets, and keeps how far that was.
func (t *tellers) tell(ctx context.Context, w *chat.Webhook, until chat.Time) {
	progress := t.proceed(ctx, w, until.Std().Add(-lease/2))
	if progress.OffAt != 0 {
		t.cfg.Logger.Warn("a webhook is switched off: it failed for too long", "webhook", w.ID, "group", w.GroupID, "failure", progress.Failure)
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := t.store.SettleWebhook(settling, w.ID, until, progress); err != nil {
		t.cfg.Logger.Error("keep how far a webhook was told", "webhook", w.ID, "error", err) // it is told again
	}
}

// proceed tells events until one fails, none is left, or it is time to stop.
func (t *tellers) proceed(ctx context.Context, w *chat.Webhook, stop time.Time) chat.Progress {
	p := w.Progress
	host, free := t.hosts.enter(w.URL)
	if !free {
		p.DueAt = chat.TimeOf(t.cfg.Now().Add(crowded))
		return p
	}
	defer t.hosts.leave(host)
	for {
		events, err := t.news(ctx, w.GroupID, p.Head)
		if err != nil {
			t.cfg.Logger.Error("read what a webhook is to be told", "webhook", w.ID, "error", err)
			p.DueAt = chat.TimeOf(t.cfg.Now().Add(firstPause))
			return p
		}
		if len(events) == 0 {
			return p
		}
		for i := range events {
			if ctx.Err() != nil || !t.cfg.Now().Before(stop) {
				return p
			}
			if t.step(ctx, w, &p, &events[i]); p.Head != events[i].Number || p.OffAt != 0 {
				return p
			}
		}
	}
}

func (t *tellers) news(ctx context.Context, g chat.GroupID, after chat.Seq) (events []chat.Event, err error) {
	err = t.store.View(ctx, func(r chat.Reader) error {
		if events, err = chat.EventsAfter(r, g, after, page); err != nil || len(events) > 0 {
			return err
		}
		group, err := r.Group(g)
		if err == nil && group.Head > after { // the rows of the last numbers have changed since, or are gone
			events = append(events, chat.Event{Group: g, Number: group.Head})
		}
		return err
	})
	return events, err
}

// step tells one event, if it is wanted, and moves p on if it was taken, or given up.
func (t *tellers) step(ctx context.Context, w *chat.Webhook, p *chat.Progress, e *chat.Event) {
	name, body := contents(e)
	if !slices.Contains(w.Events, name) {
		p.Head = e.Number
		return
	}
	err := t.send(ctx, w, string(name), fmt.Sprintf("%s.%d", w.ID, e.Number), body)
	if err != nil && ctx.Err() != nil {
		return // broken off by us: that says nothing of the target
	}
	now := chat.TimeOf(t.cfg.Now())
	if err == nil {
		*p = chat.Progress{Head: e.Number, ToldAt: now}
		return
	}
	failed(p, e.Number, err, now)
}

// contents is the push that an event is: what sockets are sent.
func contents(e *chat.Event) (chat.WebhookEvent, any) {
	switch {
	case e.Message != nil:
		return chat.WebhookMessage, e.Message
	case e.Change != nil:
		return chat.WebhookChange, e.Change
	}
	return "", nil
}

// failed notes a failure: the event is tried again later, or given up, or the webhook is switched off.
func failed(p *chat.Progress, number chat.Seq, err error, now chat.Time) {
	if p.Tries == 0 {
		p.TriedAt = now
	}
	if p.FailingAt == 0 {
		p.FailingAt = now
	}
	p.Tries++
	p.Failure = err.Error()
	patience := maxUnreachable
	answered := answerOf(err)
	if answered != nil && answered.retryAfter == 0 {
		patience = maxAnswered
	}
	switch {
	case answered != nil && answered.status == http.StatusGone, age(p.FailingAt, now) >= maxFailing:
		p.OffAt, p.DueAt = now, 0
	case age(p.TriedAt, now) >= patience:
		p.Head, p.Tries, p.TriedAt, p.DueAt = number, 0, 0, 0
	default:
		p.DueAt = now + chat.Time(pauseAfter(err, p.Tries).Milliseconds())
	}
}

func age(since, now chat.Time) time.Duration { return now.Std().Sub(since.Std()) }

// answerOf is the answer that an error is, nil if there was none.
func answerOf(err error) *answerError {
	answered, _ := errors.AsType[*answerError](err)
	return answered
}

// send tells a webhook one thing.
func (t *tellers) send(ctx context.Context, w *chat.Webhook, event, id string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	err = post(ctx, t.cfg.Client, w.URL, signed(w.Secret, id, event, t.cfg.Now(), body), body)
	t.cfg.Observer.Told("webhook", outcome(err))
	return err
}

// outcome is err as it is counted.
func outcome(err error) string {
	answered := answerOf(err)
	switch {
	case err == nil:
		return "ok"
	case answered == nil:
		return "unreachable"
	case answered.status == http.StatusGone, answered.status == http.StatusNotFound:
		return "gone"
	}
	return "refused"
}

// hosts counts who is being told where.
type hosts struct {
	mu   sync.Mutex // guards below
	busy map[string]int
}

// enter takes a place at the host of a URL, if there is one free.
func (h *hosts) enter(target string) (host string, free bool) {
	if u, err := url.Parse(target); err == nil {
		host = u.Host
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[host] >= maxPerHost {
		return host, false
	}
	if h.busy == nil {
		h.busy = map[string]int{}
	}
	h.busy[host]++
	return host, true
}

func (h *hosts) leave(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[host]--; h.busy[host] == 0 {
		delete(h.busy, host)
	}
}
