package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"io"
)

// orientation says which side of a picture is up (Exif 2.32, 4.6.5, tag 274): 1 is upright, 2 to 4 are mirrored or turned
// by half, 5 to 8 lie on a side.
type orientation int

const upright orientation = 1

// turned reports whether width and height change places.
func (o orientation) turned() bool { return o >= 5 && o <= 8 }

// upright is p as a reader sees it.
func (o orientation) upright(p *image.RGBA) *image.RGBA {
	if o <= upright || o > 8 {
		return p
	}
	width, height := p.Rect.Dx(), p.Rect.Dy()
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	if o.turned() {
		to = image.NewRGBA(image.Rect(0, 0, height, width))
	}
	for y := range height {
		for x := range width {
			at := o.of(x, y, width, height)
			to.SetRGBA(at.X, at.Y, p.RGBAAt(x, y))
		}
	}
	return to
}

// of is where the pixel at x, y is shown.
func (o orientation) of(x, y, width, height int) image.Point {
	right, bottom := width-1-x, height-1-y
	switch o {
	case 2:
		return image.Pt(right, y)
	case 3:
		return image.Pt(right, bottom)
	case 4:
		return image.Pt(x, bottom)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(bottom, x)
	case 7:
		return image.Pt(bottom, right)
	case 8:
		return image.Pt(y, right)
	}
	return image.Pt(x, y)
}

// The parts of a JPEG file that are looked at (ISO 10918-1, B.1.1.3).
const (
	markerStart = 0xd8
	markerApp1  = 0xe1
	markerScan  = 0xda // the pixels begin

	// maxSegments bounds the search: cameras write Exif first.
	maxSegments = 64
)

// readOrientation finds the orientation of a JPEG file. What is not there, or makes no sense, is upright.
func readOrientation(f io.Reader) orientation {
	r := bufio.NewReader(f)
	var start [2]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || start != [2]byte{0xff, markerStart} {
		return upright
	}
	for range maxSegments {
		var head [4]byte // 0xff, marker, 16 bits of length with themselves
		if _, err := io.ReadFull(r, head[:]); err != nil || head[0] != 0xff || head[1] == markerScan {
			return upright
		}
		length := int(binary.BigEndian.Uint16(head[2:])) - 2
		if length < 0 {
			return upright
		}
		if head[1] != markerApp1 {
			if _, err := r.Discard(length); err != nil {
				return upright
			}
			continue
		}
		segment := make([]byte, length)
		if _, err := io.ReadFull(r, segment); err != nil {
			return upright
		}
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok {
			return orientationOf(exif)
		}
	}
	return upright
}

const tagOrientation = 274

// orientationOf reads the first directory of a TIFF structure: byte order, 42, offset of the directory; there, a count and
// entries of 12 bytes: tag, type, number, value.
func orientationOf(tiff []byte) orientation {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return upright
	}
	entries := int(order.Uint16(tiff[at:]))
	rest := tiff[at+2:]
	for range entries {
		if len(rest) < 12 {
			break
		}
		if order.Uint16(rest) == tagOrientation {
			if o := orientation(order.Uint16(rest[8:])); o >= 1 && o <= 8 {
				return o
			}
			break
		}
		rest = rest[12:]
	}
	return upright
}
