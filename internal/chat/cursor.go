package chat

import (
	"encoding/base64"
	"encoding/json"
	"errors"
)

// A cursor says where a page ended: clients give it back as it is.

func writeCursor(at any) string {
	data, err := json.Marshal(at)
	if err != nil {
		panic(err) // our own types always marshal
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// readCursor reads into at what writeCursor wrote; an empty cursor leaves at as it is.
func readCursor(cursor string, at any) error {
	if cursor == "" {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(data, at) != nil {
		return refuseCursor()
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
