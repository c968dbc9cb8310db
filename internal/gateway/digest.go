package gateway

import (
	"time"

	"qun/internal/chat"
)

// headsPush is the digest: how far groups are. It lets a client notice that it missed the last push.
type headsPush struct {
	Epoch string                    `json:"epoch"`
	Heads map[chat.GroupID]chat.Seq `json:"heads"`
}

// digest tells every changed group's number again, in one frame for all its full clients. Who reconnects learns the
// numbers from hello.
func (g *Gateway) digest() {
	tick := time.NewTicker(g.cfg.DigestEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.tellHeads()
		case <-g.stop:
			return
		}
	}
}

func (g *Gateway) tellHeads() {
	epoch := g.chat.Epoch()
	for group, head := range g.hub.takeChanged() {
		g.hub.push(fullRoom(group), "heads", headsPush{epoch, map[chat.GroupID]chat.Seq{group: head}})
	}
}
