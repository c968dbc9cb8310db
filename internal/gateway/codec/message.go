package codec

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"qun/internal/chat"
)

// A Message is the payload of `message`.
type Message chat.Message

// AppendJSON appends the message to b.
func (m *Message) AppendJSON(b []byte) ([]byte, error) {
	return appendMessage(b, (*chat.Message)(m))
}

// A Sent is the ack of a request to send a message.
type Sent chat.Sent

// AppendJSON appends the answer to b, with "ok": true before it.
func (s *Sent) AppendJSON(b []byte) ([]byte, error) {
	b, err := appendMessage(append(b, `{"ok":true,"message":`...), s.Message)
	if s.Duplicate {
		b = append(b, `,"duplicate":true`...)
	}
	return append(b, '}'), err
}

func appendMessage(b []byte, m *chat.Message) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	b = appendText(b, `{"id":`, string(m.ID))
	b = appendSomeText(b, `,"groupId":`, string(m.GroupID))
	b = appendSomeSeq(b, `,"seq":`, m.Seq)
	b = appendSomeSeq(b, `,"rev":`, m.Rev)
	b = appendText(b, `,"room":`, m.Room)
	b = appendSomeText(b, `,"userId":`, string(m.UserID))
	b = appendText(b, `,"nickName":`, m.NickName)
	b = strconv.AppendBool(append(b, `,"guest":`...), m.Guest)
	b = appendText(b, `,"kind":`, string(m.Kind))
	b = appendText(b, `,"message":`, m.Text)
	b = appendSomeText(b, `,"clientId":`, m.ClientID)
	b = appendSomeSeq(b, `,"replyTo":`, m.ReplyTo)
	b, err := appendRare(b, m)
	b = appendSomeTime(b, `,"pinnedAt":`, m.PinnedAt)
	b = appendSomeTime(b, `,"editedAt":`, m.EditedAt)
	b = appendSomeTime(b, `,"recalledAt":`, m.RecalledAt)
	b = m.SentAt.AppendJSON(append(b, `,"sentAt":`...))
	return append(b, '}'), err
}

// appendRare appends what few messages have.
func appendRare(b []byte, m *chat.Message) (_ []byte, err error) {
	if len(m.Mentions) > 0 {
		b, err = appendMarshalled(b, `,"mentions":`, m.Mentions, err)
	}
	if len(m.Files) > 0 {
		b, err = appendMarshalled(b, `,"files":`, m.Files, err)
	}
	if len(m.Reactions) > 0 {
		b, err = appendMarshalled(b, `,"reactions":`, m.Reactions, err)
	}
	if m.Preview != nil {
		b, err = appendMarshalled(b, `,"preview":`, m.Preview, err)
	}
	if m.System != nil {
		b, err = appendMarshalled(b, `,"system":`, m.System, err)
	}
	return b, err
}

// appendMarshalled appends nothing any more after an error.
func appendMarshalled(b []byte, key string, v any, before error) ([]byte, error) {
	if before != nil {
		return b, before
	}
	value, err := json.Marshal(v)
	return append(append(b, key...), value...), err
}

func appendSomeText(b []byte, key, text string) []byte {
	if text == "" {
		return b
	}
	return appendText(b, key, text)
}

func appendSomeSeq(b []byte, key string, n chat.Seq) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, key...), int64(n), 10)
}

func appendSomeTime(b []byte, key string, t chat.Time) []byte {
	if t == 0 {
		return b
	}
	return t.AppendJSON(append(b, key...))
}

func appendText(b []byte, key, text string) []byte {
	b = append(b, key...)
	if !isPlain(text) {
		quoted, _ := json.Marshal(text) // a string can always be marshalled
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), text...), '"')
}

// isPlain says whether encoding/json writes the text as it is.
func isPlain(text string) bool {
	for _, c := range text {
		switch c {
		case '"', '\\', '<', '>', '&', '\u2028', '\u2029', utf8.RuneError:
			return false
		}
		if c < ' ' {
			return false
		}
	}
	return true
}
