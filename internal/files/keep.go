package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"

	"qun/internal/chat"
)

// sniffed is how many of the first bytes say what a file is.
const sniffed = 512

// Keep stores what body brings until its end, and says what it is. More than limit bytes (0: no limit) are chat.ErrTooLarge,
// a picture of too many pixels is chat.ErrTooManyPixels, a full disk chat.ErrNoSpace; then, and when body ends with an
// error, nothing is kept.
func (s *Store) Keep(ctx context.Context, id chat.FileID, body io.Reader, limit int64) (*chat.Content, error) {
	var content *chat.Content
	err := s.write(ctx, kept, id, func(f file) (err error) {
		if content, err = receive(f, body, limit); err != nil {
			return err
		}
		return s.look(ctx, id, f, content)
	})
	if err != nil {
		return nil, errors.Join(err, s.drop(thumbs, []chat.FileID{id})) // it was drawn before the file had its name
	}
	return content, nil
}

// receive copies body to f, and measures it on the way.
func receive(f io.Writer, body io.Reader, limit int64) (*chat.Content, error) {
	hash := sha256.New()
	head := &beginning{}
	if limit > 0 {
		body = io.LimitReader(body, limit+1)
	}
	n, err := io.Copy(io.MultiWriter(f, hash, head), body)
	if err != nil {
		return nil, fmt.Errorf("receive a file: %w", err)
	}
	if limit > 0 && n > limit {
		return nil, chat.ErrTooLarge
	}
	return &chat.Content{Size: n, Type: http.DetectContentType(head.bytes), Hash: [32]byte(hash.Sum(nil))}, nil
}

// beginning keeps the first bytes that are written to it.
type beginning struct{ bytes []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.bytes = append(b.bytes, p[:min(len(p), sniffed-len(b.bytes))]...)
	return len(p), nil
}

// look finds out about a picture, takes out of its file what is not the picture, and draws its small one. What only begins
// like a picture is none.
func (s *Store) look(ctx context.Context, id chat.FileID, f file, c *chat.Content) error {
	if !isPicture(c.Type) {
		return nil
	}
	header, err := s.promise(c.Type, f)
	if err == nil {
		c.Size, err = bare(c.Type, f, c.Size)
	}
	if err == nil {
		c.Hash, err = hashOf(io.NewSectionReader(f, 0, c.Size))
	}
	if errors.Is(err, errShape) {
		c.Type = anything
		return nil
	}
	if err != nil {
		return err
	}
	c.Width, c.Height = header.shown()
	small, err := s.draw(ctx, c.Type, f, header, within(thumbSide))
	if errors.Is(err, errNotDrawn) {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.write(ctx, thumbs, id, func(to file) error {
		_, err := to.Write(small)
		return err
	})
	c.Thumb = err == nil
	return err
}

// hashOf is the hash of bytes as they are kept.
func hashOf(bytes io.Reader) (sum [32]byte, err error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, bytes); err != nil {
		return sum, fmt.Errorf("read a file: %w", err)
	}
	return [32]byte(hash.Sum(nil)), nil
}

// KeepDrawn keeps a small picture of a picture, and nothing of the picture itself. What cannot be drawn is
// chat.ErrNoPicture, too many pixels are chat.ErrTooManyPixels.
func (s *Store) KeepDrawn(ctx context.Context, id chat.FileID, of io.ReadSeeker) (content *chat.Content, err error) {
	head := &beginning{}
	if _, err := io.CopyN(head, of, sniffed); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	kind := http.DetectContentType(head.bytes)
	if !isPicture(kind) {
		return nil, chat.ErrNoPicture
	}
	header, err := s.promise(kind, of)
	if errors.Is(err, errShape) {
		return nil, chat.ErrNoPicture
	}
	if err != nil {
		return nil, err
	}
	drawn, err := s.draw(ctx, kind, of, header, within(previewSide))
	if errors.Is(err, errNotDrawn) {
		return nil, chat.ErrNoPicture
	}
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, kept, id, func(f file) (err error) {
		content, err = receive(f, bytes.NewReader(drawn), 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	width, height := header.shown()
	content.Width, content.Height = fit(width, height, previewSide)
	return content, nil
}

// promise reads what a picture promises: of too many pixels, chat.ErrTooManyPixels.
func (s *Store) promise(kind string, f io.ReadSeeker) (header, error) {
	h, err := readHeader(kind, f)
	if err != nil {
		return header{}, errShape
	}
	if s.pixels > 0 && h.pixels() > s.pixels {
		return header{}, chat.ErrTooManyPixels
	}
	return h, nil
}

// anything is the type of what is not known.
const anything = "application/octet-stream"

// MakeAvatar keeps the middle of a picture, small and square, under an id of its own. What is no picture that can be
// drawn is chat.ErrNoPicture.
func (s *Store) MakeAvatar(ctx context.Context, of chat.FileID, kind string, id chat.FileID) error {
	f, err := s.Open(of)
	if err != nil {
		return err
	}
	defer f.Close()
	if !isPicture(kind) {
		return chat.ErrNoPicture
	}
	header, err := readHeader(kind, f)
	if err != nil {
		return chat.ErrNoPicture
	}
	drawn, err := s.draw(ctx, kind, f, header, avatar)
	if errors.Is(err, errNotDrawn) {
		return chat.ErrNoPicture
	}
	if err != nil {
		return err
	}
	return s.write(ctx, avatars, id, func(to file) error {
		_, err := to.Write(drawn)
		return err
	})
}
