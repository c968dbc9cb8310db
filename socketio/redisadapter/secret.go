package redisadapter

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// A signature stands at the end of a message, as one more element of its array, or as one more key of its object: whoever does not know
// it passes over it. It covers the channel and the message as it was.
const signatureSize = 16

func signature(secret []byte, channel string, payload []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(channel))
	mac.Write([]byte{0})
	mac.Write(payload)
	return mac.Sum(nil)[:signatureSize]
}

var (
	jsonSignature    = []byte(`,"sig":"`)
	msgpackSignature = []byte{0xc4, signatureSize}
	msgpackKey       = []byte("\xa3sig")
)

// sign adds a signature. All messages are objects, or arrays and maps with a header of one byte.
func sign(secret []byte, channel string, payload []byte) []byte {
	s := signature(secret, channel, payload)
	if payload[0] == '{' {
		signed := append(bytes.Clone(payload[:len(payload)-1]), jsonSignature...)
		return append(hex.AppendEncode(signed, s), `"}`...)
	}
	signed := append([]byte{payload[0] + 1}, payload[1:]...)
	if isMap(payload) {
		signed = append(signed, msgpackKey...)
	}
	return append(append(signed, msgpackSignature...), s...)
}

func isMap(payload []byte) bool { return payload[0]&0xf0 == 0x80 }

// verify takes the signature off, if there is a true one.
func verify(secret []byte, channel string, payload []byte) (unsigned []byte, ok bool) {
	unsigned, s := cutSignature(payload)
	if unsigned == nil || !hmac.Equal(s, signature(secret, channel, unsigned)) {
		return payload, false
	}
	return unsigned, true
}

// cutSignature is the inverse of sign, or nil.
func cutSignature(payload []byte) (unsigned, s []byte) {
	const inJSON = 2 * signatureSize
	if bytes.HasPrefix(payload, []byte{'{'}) {
		at := len(payload) - len(jsonSignature) - inJSON - 2
		if at < 1 || !bytes.HasPrefix(payload[at:], jsonSignature) || !bytes.HasSuffix(payload, []byte(`"}`)) {
			return nil, nil
		}
		s, err := hex.DecodeString(string(payload[at+len(jsonSignature) : len(payload)-2]))
		if err != nil {
			return nil, nil
		}
		return append(bytes.Clone(payload[:at]), '}'), s
	}
	at := len(payload) - signatureSize
	if at < 1 {
		return nil, nil
	}
	rest, found := bytes.CutSuffix(payload[:at], msgpackSignature)
	if isMap(payload) && found {
		rest, found = bytes.CutSuffix(rest, msgpackKey)
	}
	if !found || len(rest) == 0 || rest[0]&0x0f == 0 {
		return nil, nil
	}
	return append([]byte{rest[0] - 1}, rest[1:]...), payload[at:]
}
