package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A picture's file holds more than the picture: where and when it was taken, by whom and with what. Of that nothing is
// kept but which side is up. The pixels stay as they are, byte for byte, and so do profiles of colour.

// errShape says that a file is not made as its kind is.
var errShape = errors.New("the picture is not made as its kind is")

// bare takes out of a picture's file what is not the picture, and returns the size that is left. The file is touched only
// if all of it made sense.
func bare(kind string, f file, size int64) (int64, error) {
	p := &parser{Reader: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 64<<10), size: size}
	var err error
	switch kind {
	case "image/jpeg":
		err = p.jpeg()
	case "image/png":
		err = p.png()
	case "image/webp":
		err = p.webp()
	default:
		return size, nil
	}
	if err != nil {
		return size, err
	}
	left, err := p.parts.apply(f)
	if err == nil && left < size {
		err = f.Truncate(left)
	}
	if err != nil {
		return size, fmt.Errorf("take out what is not the picture: %w", err)
	}
	return left, nil
}

// part is one of a file as it is to be: bytes of it, or what takes their place.
type part struct {
	from, to int64
	instead  []byte // nil: they stay
}

// parts are those of a file, in order. What lies between them is left out.
type parts []part

// stay keeps bytes.
func (p *parts) stay(from, to int64) {
	if last := len(*p) - 1; last >= 0 && (*p)[last].instead == nil && (*p)[last].to == from {
		(*p)[last].to = to
		return
	}
	*p = append(*p, part{from: from, to: to})
}

// replace puts something in the place of bytes. What is longer than they are is left out with them: writing must not
// overtake reading, and it cannot be what they were.
func (p *parts) replace(from, to int64, instead []byte) {
	if len(instead) > 0 && int64(len(instead)) <= to-from {
		*p = append(*p, part{from, to, instead})
	}
}

// size is that of all parts.
func (p parts) size() (n int64) {
	for _, one := range p {
		n += one.size()
	}
	return n
}

func (p part) size() int64 {
	if p.instead != nil {
		return int64(len(p.instead))
	}
	return p.to - p.from
}

// apply moves the parts together at the beginning of their file, and says where they end.
func (p parts) apply(f file) (end int64, err error) {
	for _, one := range p {
		var from io.Reader = bytes.NewReader(one.instead)
		if one.instead == nil {
			from = io.NewSectionReader(f, one.from, one.size())
		}
		if one.instead != nil || one.from != end {
			if _, err := io.Copy(io.NewOffsetWriter(f, end), from); err != nil {
				return 0, err
			}
		}
		end += one.size()
	}
	return end, nil
}

// parser reads a file once, and notes its parts.
type parser struct {
	*bufio.Reader
	at     int64 // how much was read
	size   int64
	marked bool // JPEG: the first byte of a marker was read
	parts  parts
}

// take reads n bytes, for a moment.
func (p *parser) take(n int) ([]byte, error) {
	bytes := make([]byte, n)
	got, err := io.ReadFull(p, bytes)
	p.at += int64(got)
	return bytes, err
}

// pass reads over n bytes, or all that are left: files break off.
func (p *parser) pass(n int64) error {
	n = min(n, p.size-p.at)
	_, err := io.CopyN(io.Discard, p, n)
	p.at += n
	return err
}

// maxExif bounds what is looked through for an orientation; JPEG has no more.
const maxExif = 64 << 10

// exif reads n bytes of Exif, and says which side is up.
func (p *parser) exif(n int64) (orientation, error) {
	if n > maxExif || n > p.size-p.at {
		return upright, p.pass(n)
	}
	tiff, err := p.take(int(n))
	return orientationOf(bytes.TrimPrefix(tiff, exifMark)), err
}
