package socketio_test

import (
	"strings"
	"testing"
	"time"

	"qun/socketio"
)

// The largest packets that a client may send, made to be slow to read: a megabyte each, which takes milliseconds if every byte
// is looked at a few times, and minutes if the time grows with the square.
func TestLargePacketsAreReadInLinearTime(t *testing.T) {
	const size = 1_000_000
	many := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, text := range map[string]string{
		"digits for attachments":  "5" + many("9"),
		"digits for an ack":       "2" + many("9"),
		"a namespace":             "0/" + many("x"),
		"commas":                  "2" + many(","),
		"open arrays":             "2" + many("["),
		"open objects":            "2" + many(`{"a":`),
		"flat arrays":             `2["e",[` + many("[],") + "0]]",
		"backslashes":             `2["e","` + many(`\\`) + `"]`,
		"quotes":                  `2["e","` + many(`\"`) + `"]`,
		"escapes in a name":       `2["` + many(`\u0061`) + `"]`,
		"spaces":                  `2` + many(" ") + `["e"]`,
		"a number":                `2["e",` + many("1") + `]`,
		"keys":                    `2["e",{` + many(`"num":0,`) + `"x":1}]`,
		"arguments":               `2["e",` + many("0,") + `0]`,
		"placeholders":            `51-["e",[` + many(`{"_placeholder":true},`) + `0]]`,
		"placeholders in another": `51-["e",` + many(`{"_placeholder":true,"num":0,"x":`) + `0` + many("}") + `]`,
		"escaped keys":            `51-["e",{` + many(`"\u006eum":0,`) + `"_placeholder":true,"num":0}]`,
		"credentials":             `0{` + many(`"pid":"x",`) + `"offset":"y"}`,
	} {
		begun := time.Now()
		_, _ = socketio.Decode(text, []byte("x"))
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	for name, text := range map[string]string{
		"open arrays":  "\x83\xa4type\x02\xa3nsp\xa1/\xa4data" + many("\x91"),
		"open maps":    "\x83\xa4type\x02\xa3nsp\xa1/\xa4data" + many("\x81\xa1a"),
		"long array":   "\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e\xdd\x00\x0f\x00\x00" + many("\xc0"),
		"long strings": "\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e\xdb\x00\x0f\x00\x00" + many("\x01"),
		"unknown keys": "\xdf\x00\x01\x00\x00" + many("\xa1x\x90"),
	} {
		begun := time.Now()
		_, _ = socketio.Unpack([]byte(text))
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("msgpack, %s: took %v", name, took)
		}
	}
}
