package push

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
)

const (
	// gather is how long a group's messages are gathered before anybody is called. Who reads them meanwhile is not; it is
	// longer than read cursors stay in memory.
	gather = 3 * time.Second
	// between is the least time between two calls of a device because of one group.
	between = 15 * time.Second
	// again is when a device is looked at again that was being called because of another group.
	again = 5 * time.Second
	// settling is how long after the start those who are there have to come back.
	comeBack = 30 * time.Second
	// outage is how far back is looked after the start.
	outage = time.Hour
	// timeToLive is how long a browser's maker keeps a call for a device that is off.
	timeToLive = 24 * time.Hour
	// maxDead is how long a device is tried that cannot be reached.
	maxDead = 14 * 24 * time.Hour

	// maxCallGroups bounds the groups that are called for at once, maxCalls the calls of each.
	maxCallGroups = 8
	maxCalls      = 8
	// newest is how many messages are looked at: what is further back was there to be read for long.
	newest = 50
	// maxExcerpt bounds the text in a call, in code points.
	maxExcerpt = 120
)

// callers call browsers.
type callers struct {
	// Set once.
	cfg   Config
	store Store
	vapid *vapid
	bell  chan struct{} // capacity 1: due has changed, or a slot is free
	slots chan struct{} // a token for each group that is called for

	any   atomic.Bool // there are devices: nothing is noted without
	stale atomic.Bool // any is to be read again

	mu  sync.Mutex // guards below
	due map[chat.GroupID]time.Time

	working sync.WaitGroup
}

func newCallers(store Store, key *vapid, cfg Config) *callers {
	c := &callers{cfg: cfg, store: store, vapid: key, bell: make(chan struct{}, 1), slots: make(chan struct{}, maxCallGroups)}
	c.due = map[chat.GroupID]time.Time{}
	c.stale.Store(true)
	c.any.Store(true) // until it is known
	return c
}

// hint says that something was said in a group. It does not block.
func (c *callers) hint(g chat.GroupID) {
	if c.any.Load() {
		c.note(g, c.cfg.Now().Add(gather))
	}
}

func (c *callers) changed() {
	c.any.Store(true)
	c.stale.Store(true)
	c.ring()
}

// note sees to it that a group is looked at, at a time or earlier.
func (c *callers) note(g chat.GroupID, at time.Time) {
	c.mu.Lock()
	due, noted := c.due[g]
	if !noted || at.Before(due) {
		c.due[g] = at
	}
	c.mu.Unlock()
	if !noted {
		c.ring()
	}
}

func (c *callers) ring() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// run looks at groups when they are due until ctx ends, and waits for those who call.
func (c *callers) run(ctx context.Context) {
	defer c.working.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	started, swept := c.cfg.Now(), c.cfg.Now()
	missed := false // what was missed before the start is looked at once
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.bell:
		case <-timer.C:
		}
		now := c.cfg.Now()
		if !missed && now.Sub(started) >= comeBack {
			missed = c.noteOpen(ctx, started.Add(-outage), false)
		}
		if now.Sub(swept) >= sweep {
			swept = now
			c.stale.Store(true)
			c.noteOpen(ctx, now.Add(-timeToLive), true)
		}
		c.look(ctx)
		timer.Reset(c.wait())
	}
}

// noteOpen notes the groups with something unread that its devices have not been called for, as far as is known; with
// failed, only for devices that could not be reached.
func (c *callers) noteOpen(ctx context.Context, since time.Time, failed bool) bool {
	if !c.any.Load() {
		return true
	}
	now := c.cfg.Now()
	err := c.store.View(ctx, func(r chat.Reader) error {
		groups, err := r.CalleeGroups(chat.TimeOf(now), chat.TimeOf(since), failed)
		for _, g := range groups {
			c.note(g, now)
		}
		return err
	})
	c.report(ctx, "look for devices to be called", err)
	return err == nil
}

func (c *callers) report(ctx context.Context, act string, err error) {
	if err != nil && ctx.Err() == nil {
		c.cfg.Logger.Error(act, "error", err)
	}
}

// look starts calling for the groups that are due, as far as there are slots.
func (c *callers) look(ctx context.Context) {
	if c.stale.Swap(false) {
		c.report(ctx, "count devices", c.count(ctx))
	}
	for len(c.slots) < cap(c.slots) { // only this goroutine takes any
		g, ok := c.take()
		if !ok {
			return
		}
		c.slots <- struct{}{}
		c.working.Go(func() {
			defer c.ring()
			defer func() { <-c.slots }()
			if err := c.callFor(ctx, g); err != nil && ctx.Err() == nil {
				c.cfg.Logger.Error("call devices", "group", g, "error", err)
				c.note(g, c.cfg.Now().Add(sweep))
			}
		})
	}
}

// count finds out whether there are devices at all.
func (c *callers) count(ctx context.Context) error {
	return c.store.View(ctx, func(r chat.Reader) error {
		n, err := r.Subscriptions()
		if err != nil {
			return err
		}
		if c.any.Store(n > 0); n == 0 {
			c.mu.Lock()
			defer c.mu.Unlock()
			clear(c.due)
		}
		return nil
	})
}

// take takes a group that is due.
func (c *callers) take() (chat.GroupID, bool) {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for g, at := range c.due {
		if !at.After(now) {
			delete(c.due, g)
			return g, true
		}
	}
	return "", false
}

// wait is how long until a group is due, or everything is looked at.
func (c *callers) wait() time.Duration {
	now, wait := c.cfg.Now(), sweep
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.due {
		wait = min(wait, at.Sub(now))
	}
	if wait <= 0 { // no slot is free; the bell says when
		wait = sweep
	}
	return wait
}

// call is a device that is to be called.
type call struct {
	*chat.Callee
	group   *chat.Group
	message *chat.Message // the newest it is called for
	count   int           // of those
	urgent  bool
}

// callFor calls the devices of those who are away and want to know of what was said in a group.
func (c *callers) callFor(ctx context.Context, g chat.GroupID) error {
	calls, err := c.read(ctx, g)
	if err != nil || len(calls) == 0 {
		return err
	}
	now := chat.TimeOf(c.cfg.Now())
	endpoints := make([]string, len(calls))
	for i, one := range calls {
		endpoints[i] = one.Endpoint
	}
	lent, err := c.store.ClaimSubscriptions(ctx, now, now+chat.Time(lease.Milliseconds()), endpoints)
	if err != nil {
		return fmt.Errorf("lend devices: %w", err)
	}
	if len(lent) < len(calls) {
		c.note(g, c.cfg.Now().Add(again))
		calls = slices.DeleteFunc(calls, func(one *call) bool { return !slices.Contains(lent, one.Endpoint) })
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease)
	defer cancel()
	return c.store.SettleCalls(settling, c.callAll(ctx, calls))
}

// read decides who is to be called, of one moment.
func (c *callers) read(ctx context.Context, g chat.GroupID) (calls []*call, err error) {
	now := c.cfg.Now()
	err = c.store.View(ctx, func(r chat.Reader) error {
		calls = nil
		callees, err := r.Callees(g, chat.TimeOf(now))
		if err != nil || len(callees) == 0 {
			return err
		}
		group, err := r.Group(g)
		if err != nil {
			return err
		}
		messages, err := r.Newest(g, 0, newest)
		if err != nil {
			return err
		}
		for _, callee := range callees {
			one := choose(callee, group, messages)
			if one == nil || c.cfg.Watching(callee.UserID) {
				continue
			}
			if next := callee.At.Std().Add(between); next.After(now) {
				c.note(g, next)
				continue
			}
			calls = append(calls, one)
		}
		return nil
	})
	return calls, err
}

// choose is what a device is to be called for, of messages, newest first; nil if nothing.
func choose(callee *chat.Callee, g *chat.Group, messages []*chat.Message) *call {
	one := &call{Callee: callee, group: g, urgent: g.Kind == chat.KindDirect}
	after := max(callee.ReadSeq, callee.Seq, callee.FromSeq-1)
	for _, m := range messages {
		if m.Seq <= after || m.SentAt < callee.CreatedAt {
			break
		}
		mentioned := slices.Contains(m.Mentions, callee.UserID) || slices.Contains(m.Mentions, chat.MentionAll)
		if !m.Kind.Countable() || m.RecalledAt != 0 || m.UserID == callee.UserID || callee.Notify != chat.NotifyAll && !mentioned {
			continue
		}
		if one.message == nil {
			one.message = m
		}
		one.count++
		one.urgent = one.urgent || mentioned
	}
	if one.message == nil {
		return nil
	}
	return one
}

// callAll makes the calls, some at once, and returns what came of each.
func (c *callers) callAll(ctx context.Context, calls []*call) []chat.Called {
	done := make([]chat.Called, len(calls))
	places := make(chan struct{}, maxCalls)
	var all sync.WaitGroup
	for i, one := range calls {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			done[i] = c.call(ctx, one)
		})
	}
	all.Wait()
	return done
}

// call makes one call.
func (c *callers) call(ctx context.Context, one *call) chat.Called {
	result := chat.Called{Endpoint: one.Endpoint, Calling: one.Calling}
	if ctx.Err() != nil {
		return result
	}
	err := c.send(ctx, one)
	if err != nil && ctx.Err() != nil {
		return result // broken off by us
	}
	c.cfg.Observer.Told("webpush", outcome(err))
	now := chat.TimeOf(c.cfg.Now())
	switch answered := answerOf(err); {
	case err == nil, answered != nil && answered.status == http.StatusRequestEntityTooLarge: // it is not taken next time, either
		result.Group, result.Seq, result.At, result.Calling = one.group.ID, one.message.Seq, now, chat.Calling{}
		return result
	case outcome(err) == "gone":
		result.Gone = true
		return result
	}
	if result.FailingAt == 0 {
		result.FailingAt = now
	}
	result.Tries++
	result.DueAt = now + chat.Time(pauseAfter(err, result.Tries).Milliseconds())
	result.Gone = age(result.FailingAt, now) >= maxDead
	return result
}

// payload is what a device is told: enough for a line, and where it leads.
type payload struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
	Count   int          `json:"count"`
	Group   string       `json:"group,omitempty"`
	Sender  string       `json:"sender,omitempty"`
	Text    string       `json:"text,omitempty"`
}

// tells says what of a message a user wants to have on a locked screen.
func tells(settings []byte) bool {
	var s struct {
		PushPreview *bool `json:"pushPreview"`
	}
	return json.Unmarshal(settings, &s) != nil || s.PushPreview == nil || *s.PushPreview
}

func payloadOf(one *call) payload {
	p := payload{GroupID: one.group.ID, Seq: one.message.Seq, Count: one.count}
	if tells(one.Settings) {
		p.Group, p.Sender, p.Text = one.group.Name, one.message.NickName, excerpt(one.message)
	}
	return p
}

// excerpt is the beginning of what was said.
func excerpt(m *chat.Message) string {
	text := []rune(m.Text)
	if len(text) == 0 && len(m.Files) > 0 {
		text = []rune(m.Files[0].Name)
	}
	if len(text) <= maxExcerpt {
		return string(text)
	}
	return string(text[:maxExcerpt-1]) + "…"
}

// send gives a call to the maker of the device's browser.
func (c *callers) send(ctx context.Context, one *call) error {
	plain, err := json.Marshal(payloadOf(one))
	if err != nil {
		return fmt.Errorf("encode a call: %w", err)
	}
	body, err := encrypt(one.P256DH, one.Auth, plain)
	if err != nil {
		return fmt.Errorf("encrypt a call: %w", err)
	}
	authorization, err := c.vapid.authorization(one.Endpoint, c.cfg.Now())
	if err != nil {
		return err
	}
	header := http.Header{}
	header.Set("Authorization", authorization)
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Encoding", "aes128gcm")
	header.Set("TTL", strconv.Itoa(int(timeToLive/time.Second)))
	header.Set("Urgency", urgency(one))
	header.Set("Topic", topic(one.group.ID))
	return post(ctx, c.cfg.Client, one.Endpoint, header, body)
}

func urgency(one *call) string {
	if one.urgent {
		return "high"
	}
	return "normal"
}

// topic makes a later call of a group take the place of one that is not delivered yet. It says nothing of the group to
// whom it passes through; it has at most 32 characters (RFC 8030, section 5.4).
func topic(g chat.GroupID) string {
	sum := sha256.Sum256([]byte("topic " + g))
	return encode(sum[:24])
}
