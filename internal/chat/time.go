package chat

import (
	"fmt"
	"strconv"
	"time"
)

// Time is a moment in milliseconds since 1970, UTC: what the store keeps. On the wire it is RFC 3339 with
// milliseconds. 0 is "never", and is left out where the field may be absent.
type Time int64

const wireTime = "2006-01-02T15:04:05.000Z"

// TimeOf cuts t to the millisecond.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Std is t as the standard library has it, in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

func (t Time) String() string { return t.Std().Format(wireTime) }

// MarshalJSON writes t in RFC 3339, UTC, with milliseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(make([]byte, 0, len(wireTime)+2)), nil
}

// AppendJSON appends what MarshalJSON writes.
func (t Time) AppendJSON(b []byte) []byte { return t.Std().AppendFormat(b, `"`+wireTime+`"`) }

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(data []byte) error {
	text, err := strconv.Unquote(string(data))
	if err != nil {
		return fmt.Errorf("read time: %w", err)
	}
	std, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("read time: %w", err)
	}
	*t = TimeOf(std)
	return nil
}
