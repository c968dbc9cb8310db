package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	thumbSide   = 640
	previewSide = 320
	avatarSide  = 256
	jpegQuality = 82

	// maxDrawn is how many pixels are decoded, whatever the limit: a decoder takes up to 12 bytes for each.
	maxDrawn = 40_000_000
)

// errNotDrawn says that there is no small picture of a picture: it is broken, or of a kind within its kind that is not known.
var errNotDrawn = errors.New("the picture cannot be drawn")

type picture = image.Image

// header is what a picture promises before it is decoded.
type header struct {
	width, height int
	side          orientation // JPEG alone says
}

func (h header) pixels() int { return h.width * h.height }

// shown is the size as a reader sees it.
func (h header) shown() (width, height int) {
	if h.side.turned() {
		return h.height, h.width
	}
	return h.width, h.height
}

func isPicture(kind string) bool {
	switch kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	}
	return false
}

// readHeader reads a picture's size, and nothing of its pixels.
func readHeader(kind string, f io.ReadSeeker) (h header, err error) {
	if err := rewind(f); err != nil {
		return h, err
	}
	var c image.Config
	switch kind {
	case "image/jpeg":
		c, err = jpeg.DecodeConfig(f)
	case "image/png":
		c, err = png.DecodeConfig(f)
	case "image/gif":
		c, err = gif.DecodeConfig(f)
	case "image/webp":
		c, err = webp.DecodeConfig(f)
	}
	h = header{width: c.Width, height: c.Height, side: upright}
	if err == nil && (h.width <= 0 || h.height <= 0) {
		err = errNotDrawn
	}
	if err == nil && kind == "image/jpeg" {
		if err = rewind(f); err == nil {
			h.side = readOrientation(f)
		}
	}
	return h, err
}

// decode reads the pixels; of an animation, those of its first frame.
func decode(kind string, r io.Reader) (picture, error) {
	switch kind {
	case "image/jpeg":
		return jpeg.Decode(r)
	case "image/png":
		return png.Decode(r)
	case "image/gif":
		return gif.Decode(r)
	case "image/webp":
		return webp.Decode(r)
	}
	return nil, errNotDrawn
}

func rewind(f io.Seeker) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// draw decodes a picture when it is its turn, and encodes what shape makes of it.
func (s *Store) draw(ctx context.Context, kind string, f io.ReadSeeker, h header, shape func(picture, orientation) picture) ([]byte, error) {
	if h.pixels() > maxDrawn {
		return nil, errNotDrawn
	}
	leave, err := s.turns.take(ctx, h.pixels())
	if err != nil {
		return nil, fmt.Errorf("wait for a turn to decode: %w", err)
	}
	defer leave()
	if err := rewind(f); err != nil {
		return nil, err
	}
	whole, err := s.decode(kind, f)
	if err != nil {
		return nil, errNotDrawn
	}
	return encode(shape(whole, h.side))
}

// within draws a picture so that it fits into a square; a smaller one stays as large as it is.
func within(edge int) func(picture, orientation) picture {
	return func(p picture, side orientation) picture {
		b := p.Bounds()
		width, height := fit(b.Dx(), b.Dy(), edge)
		return side.upright(scale(p, b, width, height))
	}
}

// avatar is the middle of a picture, avatarSide wide and high.
func avatar(p picture, side orientation) picture {
	b := p.Bounds()
	edge := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-edge)/2, (b.Dy()-edge)/2))
	return side.upright(scale(p, image.Rectangle{corner, corner.Add(image.Pt(edge, edge))}, avatarSide, avatarSide))
}

func fit(width, height, side int) (int, int) {
	longer := max(width, height)
	if longer <= side {
		return width, height
	}
	return max(1, width*side/longer), max(1, height*side/longer)
}

func scale(p picture, part image.Rectangle, width, height int) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.BiLinear.Scale(to, to.Bounds(), p, part, draw.Src, nil)
	return to
}

// encode writes a drawn picture: as JPEG, or as PNG if something shines through.
func encode(p picture) ([]byte, error) {
	var out bytes.Buffer
	var err error
	if opaque, ok := p.(interface{ Opaque() bool }); ok && opaque.Opaque() {
		err = jpeg.Encode(&out, p, &jpeg.Options{Quality: jpegQuality})
	} else {
		err = png.Encode(&out, p)
	}
	if err != nil {
		return nil, fmt.Errorf("encode a small picture: %w", err)
	}
	return out.Bytes(), nil
}
