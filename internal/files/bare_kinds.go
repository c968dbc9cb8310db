package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
)

// jpeg keeps the segments that make the picture, up to its end: of applications', which side is up, what kind of JPEG it
// is, and the profile of colour. What follows the end, another picture or a film, goes.
func (p *parser) jpeg() error {
	if err := p.pass(2); err != nil {
		return err
	}
	p.parts.stay(0, p.at)
	side := upright
	for {
		s, err := p.segment()
		if err != nil {
			return nil // it breaks off
		}
		switch {
		case s.marker == markerApp1:
			o, err := p.exif(s.length)
			if err != nil {
				return err
			}
			if side == upright && o != upright {
				side = o
				p.parts.replace(s.at, p.at, jpegExif(o))
			}
			continue
		case !s.isPicture(p):
			if err := p.pass(s.length); err != nil {
				return err
			}
			continue
		}
		if err := p.pass(s.length); err != nil {
			return err
		}
		end := p.at
		if s.marker == markerScan {
			if end, err = p.scan(); err != nil {
				return err
			}
		}
		p.parts.stay(s.at, end)
		if s.marker == markerEnd {
			return nil
		}
	}
}

// segment is one of a JPEG file, of which the head was read.
type segment struct {
	at     int64
	marker byte
	length int64 // of what follows
}

// segment reads to the next marker, and the length behind it (ISO 10918-1, B.1.1).
func (p *parser) segment() (s segment, err error) {
	if p.marked {
		s.at, s.marker, p.marked = p.at-1, 0xff, false
	}
	for {
		b, err := p.ReadByte()
		if err != nil {
			return s, err
		}
		p.at++
		switch {
		case b == 0xff:
			s.at, s.marker = p.at-1, 0xff
			continue
		case s.marker != 0xff || b == 0:
			s.marker = 0 // what is between segments is passed over, as readers do
			continue
		}
		s.marker = b
		if b == markerEnd || b >= 0xd0 && b <= 0xd8 || b == 0x01 {
			return s, nil // these stand alone
		}
		length, err := p.take(2)
		if err != nil {
			return s, err
		}
		if s.length = int64(binary.BigEndian.Uint16(length)) - 2; s.length < 0 {
			return s, errShape
		}
		return s, nil
	}
}

// isPicture reports whether a segment is needed to show the picture as it is meant.
func (s segment) isPicture(p *parser) bool {
	switch {
	case s.marker == markerComment:
		return false
	case s.marker < markerApp0 || s.marker > markerApp15:
		return true
	}
	name, _ := p.Peek(int(min(s.length, 12)))
	switch s.marker {
	case markerApp0:
		return bytes.HasPrefix(name, []byte("JFIF\x00"))
	case markerApp2:
		return bytes.HasPrefix(name, []byte("ICC_PROFILE\x00"))
	case markerApp14:
		return bytes.HasPrefix(name, []byte("Adobe"))
	}
	return false
}

// scan reads the pixels, and the beginning of the next marker that is not one of theirs; at says where that is.
func (p *parser) scan() (at int64, err error) {
	for {
		run, err := p.ReadSlice(0xff)
		p.at += int64(len(run))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return p.at, nil // it breaks off
		case err != nil:
			return 0, err
		}
		next, _ := p.Peek(1)
		if len(next) == 1 && next[0] != 0 && next[0] != 0xff && (next[0] < 0xd0 || next[0] > 0xd7) {
			p.marked = true
			return p.at - 1, nil
		}
	}
}

// jpegExif is a segment that says which side is up, and nothing else.
func jpegExif(o orientation) []byte {
	body := slices.Concat(exifMark, tiffOf(o))
	return slices.Concat([]byte{0xff, markerApp1, 0, byte(len(body) + 2)}, body)
}

// pngShows are the chunks that say how a PNG looks, of those that readers may pass over (PNG 3rd edition, 11.3), with
// those that make it move.
var pngShows = []string{
	"tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI", "bKGD", "hIST", "pHYs", "sPLT", "acTL", "fcTL", "fdAT",
}

// png keeps the chunks that make the picture, up to the last: length, kind, data, checksum.
func (p *parser) png() error {
	if err := p.pass(8); err != nil {
		return err
	}
	p.parts.stay(0, p.at)
	for {
		at := p.at
		head, err := p.take(8)
		if err != nil {
			return nil // it breaks off
		}
		length, kind := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		if kind == "eXIf" {
			o, err := p.exif(length)
			if err == nil {
				err = p.pass(4)
			}
			if err != nil {
				return err
			}
			p.parts.replace(at, p.at, pngExif(o))
			continue
		}
		if err := p.pass(length + 4); err != nil {
			return err
		}
		needed := kind[0]&0x20 == 0 // a capital: no reader may pass over it
		if needed || slices.Contains(pngShows, kind) {
			p.parts.stay(at, p.at)
		}
		if kind == "IEND" {
			return nil
		}
	}
}

func pngExif(o orientation) []byte {
	if o == upright {
		return nil
	}
	body := slices.Concat([]byte("eXIf"), tiffOf(o))
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4))
	return binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
}

// What a WebP with more than one chunk says that it has (RFC 9649, 2.7).
const (
	webpHasExif = 0x08
	webpHasXMP  = 0x04
)

// webp keeps the chunks that make the picture: kind, length, data, and a byte where the length is odd. The first 12 bytes
// say how many follow.
func (p *parser) webp() error {
	head, err := p.take(12)
	if err != nil {
		return errShape
	}
	end := min(p.size, int64(binary.LittleEndian.Uint32(head[4:]))+8)
	p.parts.replace(0, p.at, head)
	var has []byte // the flags
	for p.at+8 <= end {
		at := p.at
		chunk, err := p.take(8)
		if err != nil {
			return err
		}
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		length += length & 1
		switch string(chunk[:4]) {
		case "VP8X":
			body, err := p.take(int(min(length, 10)))
			if err != nil || length != 10 {
				return errShape
			}
			body[0] &^= webpHasExif | webpHasXMP
			has = append(chunk, body...)
			p.parts.replace(at, p.at, has)
		case "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP":
			if err := p.pass(length); err != nil {
				return err
			}
			p.parts.stay(at, p.at)
		case "EXIF":
			o, err := p.exif(length)
			if err != nil {
				return err
			}
			if o != upright && has != nil && p.at-at >= int64(len(webpExif(o))) {
				has[8] |= webpHasExif
				p.parts.replace(at, p.at, webpExif(o))
			}
		default:
			if err := p.pass(length); err != nil {
				return err
			}
		}
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(p.parts.size()-8))
	return nil
}

func webpExif(o orientation) []byte {
	tiff := tiffOf(o)
	return append(binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(tiff))), tiff...)
}
