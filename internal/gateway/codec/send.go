package codec

import (
	"encoding/json"
	"strconv"
	"strings"

	"qun/internal/chat"
)

// A Send is a request to send a message that holds nothing unusual.
type Send struct {
	Room     string       `json:"room"`
	GroupID  chat.GroupID `json:"groupId"`
	Message  string       `json:"message"`
	ClientID string       `json:"clientId"`
	ReplyTo  chat.Seq     `json:"replyTo"`
}

// ReadSend reads a request that was written as JSON.stringify writes, and holds nothing but texts in which nothing is escaped,
// and the number of the message it replies to. The texts are parts of one copy. Plain is false if it is any other than that:
// encoding/json knows what it means. It must be valid JSON.
func ReadSend(valid json.RawMessage) (in Send, plain bool) {
	rest, plain := strings.CutPrefix(string(valid), "{")
	for plain {
		if rest, plain = in.takeField(rest); !plain {
			break
		}
		if rest == "}" {
			return in, true
		}
		rest, plain = strings.CutPrefix(rest, ",")
	}
	return Send{}, false
}

// takeField takes a member off the beginning of an object. It fails if another field may be meant than those that it knows.
func (in *Send) takeField(object string) (rest string, ok bool) {
	key, rest, ok := cutText(object)
	if !ok {
		return "", false
	}
	if rest, ok = strings.CutPrefix(rest, ":"); !ok {
		return "", false
	}
	if key == "replyTo" {
		in.ReplyTo, rest, ok = cutSeq(rest)
		return rest, ok
	}
	value, rest, ok := cutText(rest)
	switch key {
	case "room":
		in.Room = value
	case "groupId":
		in.GroupID = chat.GroupID(value)
	case "message":
		in.Message = value
	case "clientId":
		in.ClientID = value
	case "nickName": // identity never comes from a payload
	default:
		return "", false
	}
	return rest, ok
}

// cutText takes a string with nothing escaped off the beginning of JSON.
func cutText(json string) (text, rest string, ok bool) {
	if json, ok = strings.CutPrefix(json, `"`); !ok {
		return "", "", false
	}
	text, rest, _ = strings.Cut(json, `"`)
	return text, rest, strings.IndexByte(text, '\\') < 0
}

// cutSeq takes a number without fraction and exponent off the beginning of JSON.
func cutSeq(json string) (n chat.Seq, rest string, ok bool) {
	end := strings.IndexAny(json, ",}")
	if end < 0 {
		return 0, "", false
	}
	parsed, err := strconv.ParseInt(json[:end], 10, 64)
	return chat.Seq(parsed), json[end:], err == nil
}
