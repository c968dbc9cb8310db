package engineio

import "time"

// An outbox holds what one peer still has to receive, in order. It is touched only on the turn of the session's shard.
// Empty, it holds no memory.
type outbox struct {
	packets []*Packet
	head    int // packets before it have been sent
	sent    int // bytes of the head packet that have been sent; WebSocket only
	cost    int // of the packets from head on

	compressFrom int // the size from which on frames leave compressed; 0 if the transport takes none

	retained int // packets before it are counted in the server's memory; at least head while any is

	appended uint64        // packets ever queued
	mark     uint64        // appended at the time markedAt; packets before it must be gone one OutboxAge later
	markedAt time.Duration // in the wheel's time
}

func (o *outbox) empty() bool { return o.head == len(o.packets) }
func (o *outbox) count() int  { return len(o.packets) - o.head }

// taken is the number of packets that the peer ever took.
func (o *outbox) taken() uint64 { return o.appended - uint64(o.count()) }

// append queues a packet. A new queue comes from the shard's spare ones.
func (o *outbox) append(p *Packet, sh *Shard) {
	if o.packets == nil {
		o.packets = sh.spareQueue()
	}
	o.packets = append(o.packets, p)
	o.cost += p.cost()
	o.appended++
}

// frame is how a packet leaves on a WebSocket.
func (o *outbox) frame(p *Packet) []byte {
	if o.compressFrom == 0 || len(p.frame) < o.compressFrom {
		return p.frame
	}
	return p.compressed()
}

// first is what is left of the first frame.
func (o *outbox) first() []byte { return o.frame(o.packets[o.head])[o.sent:] }

// bytes is what is left of the queued frames, or more if they leave compressed.
func (o *outbox) bytes() int { return o.cost - o.count()*packetOverhead - o.sent }

// advance drops the first n bytes of the queued frames: they have been sent. The packets that are now complete are
// returned, as a view that is valid until the outbox is touched again.
func (o *outbox) advance(n int) (done []*Packet) {
	first := o.head
	for n > 0 {
		p := o.packets[o.head]
		left := len(o.frame(p)) - o.sent
		if n < left {
			o.sent += n
			break
		}
		n -= left
		o.sent = 0
		o.cost -= p.cost()
		o.head++
	}
	return o.packets[first:o.head]
}

// frames joins the unsent frames in buf, as many as fit into its capacity; a single frame is returned as it is, however
// large. The result must not be changed, and is valid while buf is.
func (o *outbox) frames(buf []byte) []byte {
	first := o.first()
	if o.count() == 1 || len(first) >= cap(buf) {
		return first
	}
	buf = append(buf[:0], first...)
	for _, p := range o.packets[o.head+1:] {
		frame := o.frame(p)
		if len(buf)+len(frame) > cap(buf) {
			break
		}
		buf = append(buf, frame...)
	}
	return buf
}

// payload joins all queued packets to the body of a poll.
func (o *outbox) payload() []byte {
	waiting := o.packets[o.head:]
	size := len(waiting)
	for _, p := range waiting {
		size += len(p.polling())
	}
	body := make([]byte, 0, size)
	for i, p := range waiting {
		if i > 0 {
			body = append(body, separator)
		}
		body = append(body, p.polling()...)
	}
	return body
}

// releaseRetained takes what is queued out of the server's count of memory.
func (o *outbox) releaseRetained(s *Server) {
	for ; o.retained > o.head; o.retained-- {
		s.release(o.packets[o.retained-1])
	}
}

// clear forgets everything and gives the queue back to the shard.
func (o *outbox) clear(sh *Shard) {
	if o.packets != nil {
		sh.recycleQueue(o.packets)
	}
	*o = outbox{appended: o.appended, compressFrom: o.compressFrom}
}
