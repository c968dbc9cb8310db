package load

import "bytes"

// A message's text, always textSize bytes: the mark, then fixed-width hexadecimal numbers, then filling.
//
//	offset 0   "@"
//	       1   sender, its number in the room, 4 digits
//	       5   sequence number of the sender, from 1, 8 digits
//	      13   when it was due to be sent, nanoseconds of the monotonic clock, 16 digits
//	      29   dots
const (
	textSize  = 64
	senderAt  = 1
	numberAt  = 5
	timeAt    = 13
	fillingAt = 29
)

// deliveryMark begins the text in whatever a server makes of the message: every peer relays it as the value of this key.
var deliveryMark = []byte(`"message":"@`)

// blankText is a text without numbers.
func blankText() string {
	return "@" + string(bytes.Repeat([]byte{'0'}, fillingAt-1)) + string(bytes.Repeat([]byte{'.'}, textSize-fillingAt))
}

func putHex(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = "0123456789abcdef"[v&15]
		v >>= 4
	}
}

// hex reads what putHex wrote; other bytes give a number that no sender sent.
func hex(b []byte) (v uint64) {
	for _, c := range b {
		switch {
		case c >= 'a':
			v = v<<4 | uint64(c-'a'+10)
		default:
			v = v<<4 | uint64(c-'0')
		}
	}
	return v
}

// stamp is the numbers of a text.
type stamp struct {
	sender int
	number uint32
	due    int64
}

// nextStamp finds the next text in a server's message and returns what follows it.
func nextStamp(data []byte) (s stamp, rest []byte, ok bool) {
	i := bytes.Index(data, deliveryMark)
	if i < 0 || len(data) < i+len(deliveryMark)-1+textSize {
		return stamp{}, nil, false
	}
	text := data[i+len(deliveryMark)-1:]
	s = stamp{
		sender: int(hex(text[senderAt:numberAt])),
		number: uint32(hex(text[numberAt:timeAt])),
		due:    int64(hex(text[timeAt:fillingAt])),
	}
	return s, text[textSize:], true
}
