package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"io"
	"math"
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

// of is where the pixel at x, y is shown: first mirrored, left and right, top and bottom, and then turned over the diagonal.
func (o orientation) of(x, y, width, height int) image.Point {
	if o == 2 || o == 3 || o == 7 || o == 8 {
		x = width - 1 - x
	}
	if o == 3 || o == 4 || o == 6 || o == 7 {
		y = height - 1 - y
	}
	if o.turned() {
		x, y = y, x
	}
	return image.Pt(x, y)
}

// The markers of a JPEG file that are looked at (ISO 10918-1, B.1.1.3).
const (
	markerEnd     = 0xd9
	markerScan    = 0xda // the pixels begin
	markerApp0    = 0xe0
	markerApp1    = 0xe1
	markerApp2    = 0xe2
	markerApp14   = 0xee
	markerApp15   = 0xef
	markerComment = 0xfe

	// maxSegments bounds the search: cameras write Exif first.
	maxSegments = 64
)

// exifMark is how a segment of Exif begins.
var exifMark = []byte("Exif\x00\x00")

// readOrientation finds the orientation of a JPEG file. What is not there, or makes no sense, is upright.
func readOrientation(f io.Reader) orientation {
	p := &parser{Reader: bufio.NewReader(f), size: math.MaxInt64}
	start, err := p.take(2)
	if err != nil || !bytes.Equal(start, []byte{0xff, 0xd8}) {
		return upright
	}
	for range maxSegments {
		s, err := p.segment()
		if err != nil || s.marker == markerScan {
			return upright
		}
		if s.marker != markerApp1 {
			if p.pass(s.length) != nil {
				return upright
			}
			continue
		}
		if o, err := p.exif(s.length); err != nil || o != upright {
			return o
		}
	}
	return upright
}

const tagOrientation = 274

// orientationOf reads the first directory of a TIFF structure: byte order, 42, offset of the directory; there, a count and
// entries of 12 bytes: tag, type, number, value.
func orientationOf(tiff []byte) orientation {
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case len(tiff) < 8:
		return upright
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case !bytes.HasPrefix(tiff, []byte("MM\x00*")):
		return upright
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

// tiffOf is a TIFF structure that says an orientation, and nothing else.
func tiffOf(o orientation) []byte {
	return []byte("MM\x00*\x00\x00\x00\x08" + "\x00\x01" + "\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(byte(o)) + "\x00\x00" + "\x00\x00\x00\x00")
}
