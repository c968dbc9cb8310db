package files

import (
	"errors"
	"io"
)

// File is what a Store writes to.
type File = file

// Orientation reads the orientation of a JPEG file.
func Orientation(r io.Reader) int { return int(readOrientation(r)) }

// Create replaces how files are made; before is how it was.
func (s *Store) Create(create func(name string, before func(string) (File, error)) (File, error)) {
	before := s.create
	s.create = func(name string) (file, error) { return create(name, before) }
}

// WatchDecoding calls watch before each decoding; an error is the decoder's.
func (s *Store) WatchDecoding(watch func() error) {
	before := s.decode
	s.decode = func(kind string, r io.Reader) (picture, error) {
		if err := watch(); err != nil {
			return nil, errors.Join(err)
		}
		return before(kind, r)
	}
}
