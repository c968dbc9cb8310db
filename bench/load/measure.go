package load

import (
	"bytes"
	"time"
)

// textIn finds the text in a frame of a sender.
func textIn(frame []byte) []byte {
	i := bytes.LastIndex(frame, []byte(`"@`)) + 1
	return frame[i : i+textSize]
}

// Window is what happened in the time that is measured.
type Window struct {
	Counts
	Took    time.Duration
	Latency *Histogram
	Across  *Histogram // the same of copies that came from another server
}

// Timing is how long a measurement takes.
type Timing struct {
	Warm, Measure time.Duration
	// Sleep lets the crowd sleep a millisecond at a time when nothing is to be done at a fixed rate, because it has no core of
	// its own; what is sent late for that counts as the latency of who delivers it.
	Sleep bool
	// Edge is called at the beginning and at the end of the time that is measured.
	Edge func()
}

// Closed lets every sender send its next message as soon as everybody in its room has the last one.
func (c *Crowd) Closed(t Timing) (*Window, error) {
	c.again = true
	for _, r := range c.rooms {
		for _, s := range r.senders {
			c.send(s, now())
		}
	}
	w, err := c.window(t, c.runFor)
	c.again = false
	if err != nil {
		return w, err
	}
	return w, c.drain(w)
}

// Fixed lets senders in turn send so many messages per second, whatever comes back. Latency counts from when a message was
// due, not from when the crowd came to send it.
func (c *Crowd) Fixed(perSecond float64, t Timing) (*Window, error) {
	start, sent := now(), 0
	pause := 0 // the core is ours: a wait in milliseconds would blur the times
	if t.Sleep {
		pause = 1
	}
	run := func(d time.Duration) error {
		deadline := now() + int64(d)
		for c.failed == nil {
			when := now()
			if when >= deadline {
				return nil
			}
			for due := start + int64(float64(sent)/perSecond*1e9); due <= when; due = start + int64(float64(sent)/perSecond*1e9) {
				c.send(c.turn(sent), due)
				sent++
			}
			c.poll(pause)
		}
		return c.failed
	}
	w, err := c.window(t, run)
	if err != nil {
		return w, err
	}
	return w, c.drain(w)
}

// turn is whose turn it is to send message i: one room after the other, and in it one sender after the other.
func (c *Crowd) turn(i int) *sender {
	r := c.rooms[i%len(c.rooms)]
	return r.senders[i/len(c.rooms)%len(r.senders)]
}

// Echo lets every connection make a request as soon as the last one was answered.
func (c *Crowd) Echo(request []byte, t Timing) (*Window, error) {
	frame := clientFrame(opText, request)
	a := &asking{request: func(int, int) []byte { return request }, n: make([]int, len(c.conns)), since: make([]int64, len(c.conns)), latency: c.latency}
	c.asking = a
	defer func() { c.asking = nil }()
	for _, conn := range c.conns {
		a.waiting++
		a.since[conn.number] = now()
		c.write(conn, frame)
	}
	w, err := c.window(t, func(d time.Duration) error {
		a.latency = c.latency
		return c.runFor(d)
	})
	a.request = func(int, int) []byte { return nil }
	if err == nil {
		err = c.runUntil(now()+int64(patience), func() bool { return a.waiting == 0 })
	}
	return w, err
}

func (c *Crowd) runFor(d time.Duration) error {
	return c.runUntil(now()+int64(d), func() bool { return false })
}

// window runs for the time of warming up and then for the time that is measured.
func (c *Crowd) window(t Timing, run func(time.Duration) error) (*Window, error) {
	if err := run(t.Warm); err != nil {
		return nil, err
	}
	w := &Window{Latency: new(Histogram), Across: new(Histogram)}
	c.latency, c.across = w.Latency, w.Across
	before, start := c.counts, now()
	t.Edge()
	err := run(t.Measure)
	t.Edge()
	w.Counts, w.Took = c.counts.minus(before), time.Duration(now()-start)
	c.latency, c.across = new(Histogram), new(Histogram)
	return w, err
}

// lateAfter is how long nothing may arrive before what is missing counts as lost. It is long because a server that shares
// its core with others may not run for seconds.
const lateAfter = 15 * time.Second

// drain waits for what is under way. What does not come counts as lost.
func (c *Crowd) drain(w *Window) error {
	missing := func() (n int) {
		for _, r := range c.rooms {
			for _, s := range r.senders {
				n += s.left
			}
		}
		return n
	}
	before, quiet := c.counts, now()
	seen := before.Deliveries
	err := c.runUntil(now()+int64(2*patience), func() bool {
		if c.counts.Deliveries != seen {
			seen, quiet = c.counts.Deliveries, now()
		}
		return missing() <= 0 || now()-quiet > int64(lateAfter)
	})
	w.Lost += c.counts.Lost - before.Lost
	w.Doubled += c.counts.Doubled - before.Doubled
	w.Dead += c.counts.Dead - before.Dead
	if n := missing(); n > 0 {
		w.Lost += uint64(n)
	}
	for _, r := range c.rooms {
		for _, s := range r.senders {
			s.left = 0
		}
	}
	return err
}
