package redisadapter

import "qun/socketio"

// Hears returns an adapter that was never opened, and a function that lets it hear a message.
func Hears(cfg Config, self socketio.ServerID, deliver func(*socketio.Command)) (*Adapter, func(channel string, payload []byte), error) {
	cfg.Redis.InitAddress = []string{"nowhere"}
	a, err := New(cfg)
	if err != nil {
		return nil, nil, err
	}
	a.self, a.deliver, a.wire = self, deliver, newWire(&a.cfg, self)
	return a, func(channel string, payload []byte) { a.hear(message{channel, payload}) }, nil
}

// Encode is what the adapter would publish.
func (a *Adapter) Encode(c *socketio.Command) (channel string, payload []byte, err error) {
	m, err := a.encode(c)
	return m.channel, m.payload, err
}
