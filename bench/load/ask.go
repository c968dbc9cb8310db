package load

import (
	"fmt"
	"time"
)

// asking is a round of requests: each connection asks one after the other, a number of connections at a time.
type asking struct {
	request func(conn, n int) []byte // nil: that connection is done
	n       []int                    // requests made, by connection
	since   []int64                  // when the last one was made
	waiting int                      // connections that wait for an answer
	next    int                      // the first connection that has not begun
	latency *Histogram
}

// Ask lets the first size connections make the requests that request returns, each waiting for its answer before the next,
// until it returns nil. AtOnce connections are busy at a time.
func (c *Crowd) Ask(size, atOnce int, limit time.Duration, request func(conn, n int) []byte) (*Histogram, error) {
	a := &asking{request: request, n: make([]int, size), since: make([]int64, size), latency: new(Histogram)}
	c.asking = a
	defer func() { c.asking = nil }()
	for a.waiting < atOnce && a.next < size {
		a.begin(c)
	}
	err := c.runUntil(now()+int64(limit), func() bool { return a.waiting == 0 })
	if err == nil && a.waiting > 0 {
		err = fmt.Errorf("%d connections waited in vain for an answer", a.waiting)
	}
	return a.latency, err
}

// begin lets the next connection make its first request.
func (a *asking) begin(c *Crowd) {
	a.next++
	a.waiting++
	a.ask(c, c.conns[a.next-1])
}

func (a *asking) ask(c *Crowd, conn *conn) {
	i := conn.number
	payload := a.request(i, a.n[i])
	if payload == nil {
		a.waiting--
		if a.next < len(a.n) {
			a.begin(c)
		}
		return
	}
	a.n[i]++
	a.since[i] = now()
	c.write(conn, clientFrame(opText, payload))
}

func (a *asking) answered(c *Crowd, conn *conn, when int64) {
	if conn.number >= len(a.n) || a.since[conn.number] == 0 {
		return
	}
	a.latency.add(when - a.since[conn.number])
	a.since[conn.number] = 0
	a.ask(c, conn)
}

// Shape is how a crowd is spread over rooms.
type Shape struct {
	Rooms   int
	Members int // of each room
	Senders int // of each room: members that send
}

// Size is how many connections it takes.
func (s Shape) Size() int { return s.Rooms * s.Members }

func (s Shape) String() string { return fmt.Sprintf("%d × %d", s.Rooms, s.Members) }

// Join spreads the crowd over rooms, one for each connection, and prepares the senders.
func (c *Crowd) Join(s Shape) error {
	c.rooms = make([]*room, s.Rooms)
	for i := range c.rooms {
		c.rooms[i] = &room{name: fmt.Sprintf("room %d", i)}
	}
	_, err := c.Ask(s.Size(), c.cfg.AtOnce, patience, func(i, n int) []byte {
		if n > 0 {
			return nil
		}
		return c.cfg.Dialect.Join(0, c.rooms[i%s.Rooms].name, fmt.Sprintf("guest %d", i))
	})
	if err != nil {
		return fmt.Errorf("join rooms: %w", err)
	}
	for i, conn := range c.conns[:s.Size()] {
		r := c.rooms[i%s.Rooms]
		conn.room, conn.last = r, make([]uint32, s.Senders)
		r.members = append(r.members, conn)
	}
	for _, r := range c.rooms {
		for i := range s.Senders {
			r.senders = append(r.senders, newSender(c.cfg.Dialect, r, i))
		}
	}
	return nil
}

func newSender(d *Dialect, r *room, i int) *sender {
	s := &sender{conn: r.members[i]}
	text := blankText()
	payload := d.Send(1, r.name, fmt.Sprintf("guest %d", s.conn.number), text)
	s.frame = clientFrame(opText, payload)
	s.text = textIn(s.frame)
	putHex(s.text[senderAt:numberAt], uint64(i))
	return s
}
