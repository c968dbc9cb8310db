package codec_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"qun/internal/chat"
	"qun/internal/gateway/codec"
)

// What is read by hand is what encoding/json reads.
func FuzzSendIsReadAsEncodingJSONReadsIt(f *testing.F) {
	for _, seed := range []string{
		`{"room":"大厅","nickName":"小明","message":"hello"}`,
		`{"groupId":"g","message":"a","clientId":"c","replyTo":17}`,
		`{"replyTo":-0,"message":""}`, `{"replyTo":1.0}`, `{"replyTo":99999999999999999999}`, `{"replyTo":"1"}`, `{"replyTo":1,"replyTo":2}`,
		`{"room":"a","room":"b"}`, `{"Room":"a"}`, `{"room":"a","ROOM":"b"}`, `{"mentions":["a"],"files":[]}`, `{"message":"\u0041"}`,
		`{"room":null,"message":7}`, `{"a":1}`, `{}`, `[]`, `null`, `"{"`, ` { "room" : "a" } `, `{"room":"a","message":{"x":"}"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		if !json.Valid([]byte(payload)) || !utf8.ValidString(payload) {
			return // socketio refuses that
		}
		got, plain := codec.ReadSend(json.RawMessage(payload))
		if !plain {
			return // encoding/json reads it
		}
		var want codec.Send
		if err := json.Unmarshal([]byte(payload), &want); err != nil {
			t.Fatalf("%q is read by hand; encoding/json says %v", payload, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", payload, got, want)
		}
	})
}

func TestWhatPagesAndTheAppSendIsReadByHand(t *testing.T) {
	for _, payload := range []string{
		`{"room":"大厅","nickName":"小明","message":"hello"}`,
		`{"groupId":"g","message":"a \u003c","clientId":"c","replyTo":17}`,
	} {
		payload = strings.ReplaceAll(payload, `\u003c`, "<")
		if _, plain := codec.ReadSend(json.RawMessage(payload)); !plain {
			t.Errorf("%s is not", payload)
		}
	}
}

// What is written by hand is what encoding/json writes, byte for byte.
func FuzzMessageIsWrittenAsEncodingJSONWritesIt(f *testing.F) {
	f.Add("id", "大厅", "\"<>&\\\x00\x7f\u2028\u2029\ufffd\xff\n", int64(1), int64(1753600000123), uint8(0xff))
	f.Add("", "", "", int64(0), int64(0), uint8(0))
	f.Add("m", "👩‍👩‍👧", "plain", int64(-3), int64(-62135596800001), uint8(0x0f))
	f.Add("m", "r", "t", int64(1)<<62, int64(253402300800000), uint8(0xf0))
	f.Fuzz(func(t *testing.T, id, room, text string, n, at int64, has uint8) {
		m := &chat.Message{
			ID: chat.MessageID(id), Room: room, NickName: room, Kind: chat.MessageKind(id), Text: text,
			Seq: chat.Seq(n), Rev: chat.Seq(at), SentAt: chat.Time(at), Guest: has&1 != 0,
		}
		if has&2 != 0 {
			m.GroupID, m.UserID, m.ClientID, m.ReplyTo = chat.GroupID(text), chat.UserID(room), text, chat.Seq(at)
		}
		if has&4 != 0 {
			m.Mentions, m.Reactions = []chat.UserID{chat.UserID(text), chat.UserID(id)}, []chat.Reaction{{Emoji: text}}
		}
		if has&8 != 0 {
			m.System = &chat.SystemAct{Act: text, By: chat.UserID(id)}
		}
		if has&16 != 0 {
			m.Files = []chat.File{{Name: text}}
		}
		if has&32 != 0 {
			m.PinnedAt, m.EditedAt, m.RecalledAt = chat.Time(n), chat.Time(at), chat.Time(n)
		}
		sent := &chat.Sent{Message: m, Duplicate: has&64 != 0}
		want, err := json.Marshal(struct {
			OK bool `json:"ok"`
			*chat.Sent
		}{true, sent})
		if err != nil {
			return // a year that RFC 3339 cannot write
		}
		if got, err := (*codec.Sent)(sent).AppendJSON(nil); err != nil || string(got) != string(want) {
			t.Errorf("answer: got %s (%v), want %s", got, err, want)
		}
		want, _ = json.Marshal(m)
		if got, err := (*codec.Message)(m).AppendJSON(nil); err != nil || string(got) != string(want) {
			t.Errorf("push: got %s (%v), want %s", got, err, want)
		}
	})
}

func TestAnAnswerWithoutAMessageIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	if got, err := (&codec.Sent{}).AppendJSON(nil); err != nil || string(got) != `{"ok":true,"message":null}` {
		t.Errorf("got %s (%v)", got, err)
	}
}

// A field that a message gets must be written here too.
func TestEveryFieldOfAMessageIsWritten(t *testing.T) {
	m := &chat.Message{}
	fill(t, reflect.ValueOf(m).Elem())
	want, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (*codec.Message)(m).AppendJSON(nil); err != nil || string(got) != string(want) {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// fill gives a value, and what it consists of, something that is not zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(1753600000123)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(t, v.Field(i))
			}
		}
	default:
		t.Fatalf("fill a %v", v.Type())
	}
}
