package engineio

import (
	"time"

	"github.com/gobwas/ws"
)

// Polls says whether a poll of the session's client waits for packets.
func Polls(s *Session) bool { return onTurn(s, func() bool { return s.poll != nil }) }

// Probes says whether a WebSocket tries to become the session's transport.
func Probes(s *Session) bool { return onTurn(s, func() bool { return s.probe != nil }) }

func onTurn(s *Session, look func() bool) bool {
	answer := make(chan bool, 1)
	s.shard.Post(entryFunc(func(*Shard) { answer <- look() }))
	return <-answer
}

// Deadlines is the number of sessions in the server's wheels.
func Deadlines(s *Server) (n int) {
	for _, sh := range s.shards {
		answer := make(chan int, 1)
		sh.Post(entryFunc(func(sh *Shard) { answer <- sh.wheel.count }))
		n += <-answer
	}
	return n
}

// Resting is how many goroutines wait to be of use to a Handler.
func Resting(s *Server) (n int) {
	for _, sh := range s.shards {
		sh.crew.mu.Lock()
		n += sh.crew.resting
		sh.crew.mu.Unlock()
	}
	return n
}

// Parked is a configuration with which goroutines wait for sockets.
func Parked(cfg Config) Config {
	cfg.parked = true
	return cfg
}

// ParseFrameHeader and DecodeFrames show the parsers to the fuzzer.
func ParseFrameHeader(b []byte) (ws.Header, int) { return parseFrameHeader(b) }

// DecodeFrames decodes a stream that arrives in the given pieces. Held is the most memory that was kept between them.
func DecodeFrames(maxMessage, maxFragments int, deflate bool, pieces [][]byte, yield func(ws.OpCode, []byte) error) (held int, err error) {
	d := frameDecoder{maxMessage: maxMessage, maxFragments: maxFragments, deflate: deflate}
	for _, p := range pieces {
		if err := d.decode(p, yield); err != nil {
			return held, err
		}
		held = max(held, cap(d.partial)+cap(d.message))
	}
	return held, nil
}

// Compressed is the packet's frame for WebSockets with compression.
func Compressed(p *Packet) []byte { return p.compressed() }

// Queued is what waits in the session's outbox, in bytes and overheads.
func Queued(s *Session) int {
	answer := make(chan int, 1)
	s.shard.Post(entryFunc(func(*Shard) { answer <- s.out.cost }))
	return <-answer
}

// ReceivePayload gives a polling payload to a session of its own, and returns its messages and why it would end.
func ReceivePayload(payload []byte) ([]Message, error) {
	srv := &Server{cfg: Config{InputMessages: 1 << 30, InputBytes: 1 << 30}.withDefaults(), started: time.Now()}
	s := &Session{server: srv, shard: &Shard{server: srv}}
	s.in.running = true // nobody takes the messages but us
	err := s.receivePackets(payload)
	if err == errPeerClosed {
		err = ErrTransportClose
	}
	if s.in.batch == nil {
		return nil, err
	}
	return s.in.batch.messages, err
}
