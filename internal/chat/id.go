package chat

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// UserID names a user for ever: a UUIDv7 in text.
type UserID string

// GroupID names a group for ever: a UUIDv7 in text.
type GroupID string

// MessageID names a message for ever: a UUIDv7 in text. Its address in the group is its Seq.
type MessageID string

// FileID names an uploaded file: a UUIDv7 in text.
type FileID string

// Seq is a number of a counter, from 1: of a group's (a message's seq, any row's rev, the group's head) or of a
// user's own. 0 is "before everything".
type Seq int64

// newID makes a UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits, so that ids sort by time.
func newID(now time.Time) string {
	var b [16]byte
	rand.Read(b[6:])
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	var text [36]byte
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
