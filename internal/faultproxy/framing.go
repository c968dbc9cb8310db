package faultproxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
)

// Framing reads the next whole message of one direction of a connection: its first one, or another.
type Framing func(r *bufio.Reader, first bool) ([]byte, error)

// stream takes what is there.
func stream(r *bufio.Reader, _ bool) ([]byte, error) {
	if _, err := r.Peek(1); err != nil {
		return nil, err
	}
	message := make([]byte, r.Buffered())
	return message, full(r, message)
}

func full(r io.Reader, message []byte) error {
	_, err := io.ReadFull(r, message)
	return err
}

var errFrame = errors.New("not a message of this protocol")

// PostgresUp reads what a client of PostgreSQL says: a byte for the kind of message, which the first one has not, then four
// for the length of all that follows and themselves.
func PostgresUp(r *bufio.Reader, first bool) ([]byte, error) {
	if first {
		return postgres(r, 0)
	}
	return postgres(r, 1)
}

// PostgresDown reads what the server says, without TLS.
func PostgresDown(r *bufio.Reader, _ bool) ([]byte, error) { return postgres(r, 1) }

func postgres(r *bufio.Reader, kind int) ([]byte, error) {
	head := make([]byte, kind+4)
	if err := full(r, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[kind:])
	if size < 4 || size > 1<<30 {
		return nil, errFrame
	}
	message := append(head, make([]byte, size-4)...)
	return message, full(r, message[kind+4:])
}

// IsCommit reports whether a message to PostgreSQL asks to commit, or one from it says that this is done.
func IsCommit(up bool, message []byte) bool {
	if up {
		return bytes.Equal(message, []byte("Q\x00\x00\x00\x0bCOMMIT\x00"))
	}
	return bytes.Equal(message, []byte("C\x00\x00\x00\x0bCOMMIT\x00"))
}

// IsNotification reports whether PostgreSQL tells who listens of a NOTIFY.
func IsNotification(message []byte) bool { return message[0] == 'A' }

// Redis reads what a client of Redis or the server says, in either version of the protocol: a value with all that is in it.
func Redis(r *bufio.Reader, _ bool) ([]byte, error) { return redis(r, nil) }

func redis(r *bufio.Reader, message []byte) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	message = append(message, line...)
	kind, size := line[0], 0
	if bytes.IndexByte([]byte("$=!*>~%|"), kind) >= 0 {
		if size, err = strconv.Atoi(string(bytes.TrimSpace(line[1:]))); err != nil {
			return nil, errFrame
		}
	}
	switch kind {
	case '$', '=', '!':
		if size < 0 { // nothing
			return message, nil
		}
		from := len(message)
		message = append(message, make([]byte, size+len("\r\n"))...)
		return message, full(r, message[from:])
	case '%', '|': // pairs
		size *= 2
	}
	for range size {
		if message, err = redis(r, message); err != nil {
			return nil, err
		}
	}
	return message, nil
}

// IsPublished reports whether Redis tells a subscriber what was published.
func IsPublished(message []byte) bool {
	return bytes.HasPrefix(message, []byte(">3\r\n$7\r\nmessage\r\n")) || bytes.HasPrefix(message, []byte("*3\r\n$7\r\nmessage\r\n"))
}
