package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// payload is what a node says at once: a seal, then this as JSON.
type payload struct {
	Node  string `json:"n"`
	Count uint64 `json:"i"` // of the node's payloads, from 1
	Bye   bool   `json:"bye,omitempty"`
	Notes []note `json:"s,omitempty"`
}

// note is what a topic says.
type note struct {
	Topic string          `json:"t"`
	Body  json.RawMessage `json:"d"`
}

// overhead bounds what stands around the notes of a payload, and noteOverhead what stands around a body.
const (
	sealSize     = 32
	overhead     = sealSize + 128
	noteOverhead = 48
)

// size bounds what n takes in a payload.
func (n note) size() int { return len(n.Body) + noteOverhead }

var errPayload = errors.New("not a payload of this cluster")

// Channel is where those meet who have a key: clusters that share a bus do not hear each other.
func Channel(key []byte) string {
	sum := sha256.Sum256(append([]byte("channel "), key...))
	return "qun_" + hex.EncodeToString(sum[:8])
}

// sealer writes and reads payloads under a key.
type sealer struct{ key []byte }

// seal writes p as text: what stands before it is half of its HMAC-SHA256.
func (s sealer) seal(p *payload) []byte {
	text := make([]byte, sealSize, 1024)
	text = append(text, `{"n":`...)
	text = strconv.AppendQuote(text, p.Node)
	text = append(text, `,"i":`...)
	text = strconv.AppendUint(text, p.Count, 10)
	if p.Bye {
		text = append(text, `,"bye":true`...)
	}
	for i, n := range p.Notes {
		if i == 0 {
			text = append(text, `,"s":[`...)
		} else {
			text = append(text, ',')
		}
		text = append(text, `{"t":`...)
		text = strconv.AppendQuote(text, n.Topic)
		text = append(text, `,"d":`...)
		text = append(text, n.Body...)
		text = append(text, '}')
	}
	if len(p.Notes) > 0 {
		text = append(text, ']')
	}
	text = append(text, '}')
	copy(text, s.sign(text[sealSize:]))
	return text
}

func (s sealer) sign(text []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(text)
	return hex.AppendEncode(nil, mac.Sum(nil)[:sealSize/2])
}

// open reads what seal wrote; anything else is errPayload.
func (s sealer) open(text []byte) (*payload, error) {
	if len(text) < sealSize || !hmac.Equal(text[:sealSize], s.sign(text[sealSize:])) {
		return nil, errPayload
	}
	p := new(payload)
	if err := json.Unmarshal(text[sealSize:], p); err != nil {
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	return p, nil
}
