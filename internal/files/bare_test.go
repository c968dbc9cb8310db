package files_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/webp"

	"qun/internal/chat"
	"qun/internal/files"
)

// place is what nobody should learn of a picture.
const place = "GPS 31.2304N 121.4737E"

// noise is a picture whose pixels take more room than any buffer.
func noise(width, height int) *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = byte(r.Uint32())
		if i%4 == 3 {
			p.Pix[i] = 255
		}
	}
	return p
}

// tiff is a directory with a maker, an orientation and a place.
func tiff(side uint16) []byte {
	out := []byte("II*\x00\x08\x00\x00\x00\x02\x00")
	for _, entry := range [][2]uint16{{0x010f, 7}, {274, side}} {
		out = binary.LittleEndian.AppendUint16(out, entry[0])
		out = append(out, 3, 0, 1, 0, 0, 0)
		out = binary.LittleEndian.AppendUint16(out, entry[1])
		out = append(out, 0, 0)
	}
	return append(append(out, 0, 0, 0, 0), place...)
}

func segment(marker byte, body string) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return append(out, body...)
}

// talkativeJPEG is a JPEG as a telephone writes it: with Exif, XMP, IPTC, a comment, a second picture, and a film behind it.
func talkativeJPEG(t *testing.T, p image.Image, side uint16) []byte {
	t.Helper()
	plain := inJPEG(t, p)
	out := append([]byte{}, plain[:2]...)
	for _, s := range [][]byte{
		segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
		segment(0xe0, "JFXX\x00"+place),
		segment(0xe1, "Exif\x00\x00"+string(tiff(side))),
		segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+place),
		segment(0xe2, "ICC_PROFILE\x00\x01\x01the profile"),
		segment(0xe2, "MPF\x00"+place),
		segment(0xed, "Photoshop 3.0\x00"+place),
		segment(0xef, place),
		segment(0xfe, place),
		{0xff, 0xff}, // markers may be filled up
	} {
		out = append(out, s...)
	}
	out = append(out, plain[2:]...)
	out = append(out, talkative...)
	return out
}

var talkative = []byte("\xff\xd8\xff\xe1\x00\x20" + place + "....ftypmp42" + place)

func TestWhatAPhotographTellsIsNotKept(t *testing.T) {
	for name, p := range map[string]image.Image{"small": plane(64, 32), "large": noise(300, 400)} {
		for side := uint16(1); side <= 8; side++ {
			s, _ := open(t)
			body := talkativeJPEG(t, p, side)
			c := keep(t, s, one, body)
			f, err := s.Open(one)
			got := content(t, f, err)
			if bytes.Contains(got, []byte("GPS")) || bytes.Contains(got, []byte("xap")) {
				t.Errorf("%s, orientation %d: it tells where it was taken", name, side)
			}
			if c.Size != int64(len(got)) || c.Type != "image/jpeg" || !c.Thumb {
				t.Errorf("%s, orientation %d: %+v of %d bytes", name, side, c, len(got))
			}
			if !bytes.Contains(got, []byte("the profile")) || !bytes.Contains(got, []byte("JFIF")) {
				t.Errorf("%s: the profile of colour is gone", name)
			}
			if was, is := files.Orientation(bytes.NewReader(body)), files.Orientation(bytes.NewReader(got)); was != int(side) || is != int(side) {
				t.Errorf("%s: orientation %d became %d", name, was, is)
			}
			samePixels(t, name, body, got)
		}
	}
}

// samePixels compares pictures pixel for pixel.
func samePixels(t *testing.T, name string, one, two []byte) {
	t.Helper()
	a, _, err := image.Decode(bytes.NewReader(one))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	b, _, err := image.Decode(bytes.NewReader(two))
	if err != nil {
		t.Fatalf("%s: what was kept cannot be read: %v", name, err)
	}
	if a.Bounds() != b.Bounds() {
		t.Fatalf("%s: %v became %v", name, a.Bounds(), b.Bounds())
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				t.Fatalf("%s: another colour at %d, %d", name, x, y)
			}
		}
	}
}

func TestWhatAPNGTellsIsNotKept(t *testing.T) {
	s, _ := open(t)
	for side := uint16(1); side <= 8; side++ {
		plain := inPNG(t, noise(150, 200))
		body := append([]byte{}, plain[:8+25]...) // with its first chunk
		body = chunk(body, "iCCP", []byte("profile\x00\x00\x78\x9c\x03\x00\x00\x00\x00\x01"))
		for _, kind := range []string{"tEXt", "zTXt", "iTXt", "tIME", "caBX", "vpAg"} {
			body = chunk(body, kind, []byte("Comment\x00\x00"+place))
		}
		body = chunk(body, "eXIf", tiff(side))
		body = append(append(body, plain[33:]...), "PK\x03\x04 "+place...)
		c := keep(t, s, one, body)
		f, err := s.Open(one)
		got := content(t, f, err)
		if bytes.Contains(got, []byte("GPS")) || bytes.Contains(got, []byte("PK\x03\x04")) {
			t.Errorf("orientation %d: it tells where it was taken", side)
		}
		if c.Size != int64(len(got)) || c.Type != "image/png" || !c.Thumb || !bytes.Contains(got, []byte("iCCP")) {
			t.Errorf("orientation %d: %+v of %d bytes", side, c, len(got))
		}
		if kept := bytes.Contains(got, []byte("eXIf")); kept != (side != 1) {
			t.Errorf("orientation %d is kept: %v", side, kept)
		}
		samePixels(t, "PNG", body, got)
	}
}

// riff is a WebP of these chunks.
func riff(chunks ...[]byte) []byte {
	body := bytes.Join(chunks, nil)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(body))), append([]byte("WEBP"), body...)...)
}

func riffChunk(kind string, body []byte) []byte {
	out := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body))), body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func TestWhatAWebPTellsIsNotKept(t *testing.T) {
	s, _ := open(t)
	for side := uint16(1); side <= 8; side++ {
		body := riff(
			riffChunk("VP8X", []byte{0x2c, 0, 0, 0, 15, 0, 0, 15, 0, 0}),
			riffChunk("ICCP", []byte("the profile")),
			webpOf16x16[12:],
			riffChunk("EXIF", tiff(side)),
			riffChunk("XMP ", []byte("<x:xmpmeta>"+place)),
			riffChunk("what", []byte(place)),
		)
		body = append(body, place...)
		c := keep(t, s, one, body)
		f, err := s.Open(one)
		got := content(t, f, err)
		if bytes.Contains(got, []byte("GPS")) || !bytes.Contains(got, []byte("the profile")) {
			t.Errorf("orientation %d: got %q", side, got)
		}
		if c.Size != int64(len(got)) || c.Type != "image/webp" || c.Width != 16 || !c.Thumb {
			t.Errorf("orientation %d: %+v of %d bytes", side, c, len(got))
		}
		if size := binary.LittleEndian.Uint32(got[4:]); int(size) != len(got)-8 {
			t.Errorf("orientation %d: it says that %d bytes follow, not %d", side, size, len(got)-8)
		}
		flags := byte(0x20)
		if side != 1 {
			flags = 0x28
		}
		if got[20] != flags || bytes.Contains(got, []byte("EXIF")) != (side != 1) {
			t.Errorf("orientation %d: flags %x", side, got[20])
		}
		if p, err := webp.Decode(bytes.NewReader(got)); err != nil || p.Bounds().Dx() != 16 {
			t.Errorf("orientation %d: %v", side, err)
		}
	}
	plain := webpOf16x16
	if c := keep(t, s, one, plain); c.Size != int64(len(plain)) {
		t.Errorf("a plain one has %d bytes, not %d", c.Size, len(plain))
	}
}

// Files that break off anywhere, and those with a byte changed, are kept or refused, and tell nothing as long as they pass for pictures.
func TestBrokenPicturesTellNothingEither(t *testing.T) {
	s, _ := open(t)
	png := append([]byte{}, inPNG(t, plane(8, 8))...)
	talking := chunk(append([]byte{}, png[:33]...), "tEXt", []byte("Comment\x00"+place))
	talking = append(talking, png[33:]...)
	r := rand.New(rand.NewPCG(3, 4))
	for name, whole := range map[string][]byte{
		"JPEG": talkativeJPEG(t, plane(16, 16), 6), "PNG": talking,
		"WebP": riff(riffChunk("VP8X", []byte{0x0c, 0, 0, 0, 15, 0, 0, 15, 0, 0}), webpOf16x16[12:], riffChunk("EXIF", tiff(6))),
	} {
		for at := 0; at < len(whole); at += 11 {
			cut := whole[:at]
			if c := keep(t, s, one, cut); c.Width > 0 {
				f, err := s.Open(one)
				if got := content(t, f, err); bytes.Contains(got, []byte("GPS")) {
					t.Fatalf("%s, %d bytes of it: it tells where it was taken", name, at)
				}
			}
			changed := bytes.Clone(whole)
			changed[at] = byte(r.Uint32())
			c, err := s.Keep(t.Context(), one, bytes.NewReader(changed), 0)
			if errors.Is(err, chat.ErrTooManyPixels) {
				continue
			}
			if err != nil {
				t.Fatalf("%s, byte %d changed: %v", name, at, err)
			}
			if f, err := s.Open(one); c.Size != int64(len(content(t, f, err))) {
				t.Fatalf("%s, byte %d changed: not %d bytes long", name, at, c.Size)
			}
		}
	}
}

func TestAPictureIsKeptAsASmallOneAlone(t *testing.T) {
	s, _ := open(t)
	body := talkativeJPEG(t, noise(900, 300), 6) // it stands on its side
	c, err := s.KeepDrawn(t.Context(), one, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Open(one)
	got := content(t, f, err)
	drawn, err := jpeg.Decode(bytes.NewReader(got))
	if err != nil || bytes.Contains(got, []byte("GPS")) || c.Size != int64(len(got)) {
		t.Fatalf("%v, %d bytes, %+v", err, len(got), c)
	}
	if b := drawn.Bounds(); b.Dx() != 106 || b.Dy() != 320 || c.Width != 106 || c.Height != 320 {
		t.Errorf("it is %v, and %d×%d is said", b, c.Width, c.Height)
	}
	clear := plane(8, 8)
	clear.SetNRGBA(0, 0, color.NRGBA{})
	if c, err = s.KeepDrawn(t.Context(), one, bytes.NewReader(inPNG(t, clear))); err != nil || c.Type != "image/png" {
		t.Errorf("transparent: %+v, %v", c, err)
	}
	f, err = s.Open(one)
	if _, err := png.Decode(bytes.NewReader(content(t, f, err))); err != nil {
		t.Error(err)
	}
}

func TestNoPictureIsMadeOfWhatIsNone(t *testing.T) {
	s, dir := open(t)
	s.WatchDecoding(func() error { t.Error("it was decoded"); return nil })
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"words": {[]byte("<svg onload=alert(1)>"), chat.ErrNoPicture}, "nothing": {nil, chat.ErrNoPicture},
		"a beginning": {inPNG(t, plane(8, 8))[:20], chat.ErrNoPicture}, "a bomb": {bomb(100_000, 100_000), chat.ErrTooManyPixels},
	} {
		if _, err := s.KeepDrawn(t.Context(), one, bytes.NewReader(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if names := left(t, dir); len(names) > 0 {
		t.Errorf("left are %v", names)
	}
}
