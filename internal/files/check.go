package files

import (
	"errors"
	"fmt"

	"qun/internal/chat"
)

// Compare reads the bytes of an upload and says what is wrong with them, "" if nothing is. Bytes that are not there are
// chat.ErrNotFound.
func (s *Store) Compare(u *chat.Upload) (wrong string, err error) {
	f, err := s.Open(u.ID)
	if err != nil {
		return "", err
	}
	hash, err := hashOf(f)
	size, end := f.Seek(0, 1) // where it has come to
	if err := errors.Join(err, end, f.Close()); err != nil {
		return "", err
	}
	switch {
	case size != u.Size:
		return fmt.Sprintf("it has %d bytes, and should have %d", size, u.Size), nil
	case hash != u.Hash:
		return "its bytes are others", nil
	}
	return "", nil
}
