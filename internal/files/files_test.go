package files_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"qun/internal/chat"
	"qun/internal/files"
)

const (
	one chat.FileID = "01890000-0000-7000-8000-0000000000ab"
	two chat.FileID = "01890000-0000-7000-8000-0000000000cd"
)

func open(t *testing.T) (*files.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "files")
	s, err := files.Open(files.Config{Dir: dir, Pixels: 40_000_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func keep(t *testing.T, s *files.Store, id chat.FileID, body []byte) *chat.Content {
	t.Helper()
	c, err := s.Keep(t.Context(), id, bytes.NewReader(body), 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func content(t *testing.T, f io.ReadSeekCloser, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// left are the files below a folder.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// plane is a picture, red at the top left and blue elsewhere.
func plane(width, height int) *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{0, 0, 255, 255}
			if x < width/2 && y < height/2 {
				c = color.NRGBA{255, 0, 0, 255}
			}
			p.SetNRGBA(x, y, c)
		}
	}
	return p
}

func inPNG(t *testing.T, p image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func inJPEG(t *testing.T, p image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, p, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func inGIF(t *testing.T, p image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := gif.Encode(&out, p, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAFileIsKeptAsItCame(t *testing.T) {
	s, _ := open(t)
	body := []byte("%PDF-1.7 and more")
	c := keep(t, s, one, body)
	if c.Size != int64(len(body)) || c.Type != "application/pdf" || c.Thumb || c.Width != 0 {
		t.Errorf("got %+v", c)
	}
	f, err := s.Open(one)
	if got := content(t, f, err); !bytes.Equal(got, body) {
		t.Errorf("got %q", got)
	}
	if err := s.Drop([]chat.FileID{one, two}); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(one); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("after it was dropped: %v", err)
	}
}

func TestTheBytesSayWhatAFileIs(t *testing.T) {
	s, _ := open(t)
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"empty":                  {"", "text/plain; charset=utf-8"},
		"a page":                 {"<html><script>alert(1)</script>", "text/html; charset=utf-8"},
		"SVG":                    {`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "text/xml; charset=utf-8"},
		"a GIF that is a script": {"GIF89a\x01\x00\x01\x00\x00\x00\x00=1;alert(1)", "image/gif"},
		"a cut PNG":              {"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "application/octet-stream"},
		"a cut JPEG":             {"\xff\xd8\xff<script>alert(1)</script>", "application/octet-stream"},
	} {
		if got := keep(t, s, one, []byte(c.body)); got.Type != c.want || got.Thumb {
			t.Errorf("%s: got %+v, want %s", name, got, c.want)
		}
	}
}

func TestPicturesGetSmallOnes(t *testing.T) {
	s, _ := open(t)
	wide := plane(800, 200)
	clear := plane(10, 10)
	clear.SetNRGBA(0, 0, color.NRGBA{})
	for name, c := range map[string]struct {
		body                       []byte
		kind                       string
		width, height, small, tall int
		thumb                      string
	}{
		"PNG":         {inPNG(t, wide), "image/png", 800, 200, 640, 160, "jpeg"},
		"JPEG":        {inJPEG(t, wide), "image/jpeg", 800, 200, 640, 160, "jpeg"},
		"GIF":         {inGIF(t, wide), "image/gif", 800, 200, 640, 160, "jpeg"},
		"transparent": {inPNG(t, clear), "image/png", 10, 10, 10, 10, "png"},
		"a thread":    {inPNG(t, plane(3000, 1)), "image/png", 3000, 1, 640, 1, "jpeg"},
	} {
		got := keep(t, s, one, c.body)
		if got.Type != c.kind || got.Width != c.width || got.Height != c.height || !got.Thumb {
			t.Errorf("%s: got %+v", name, got)
			continue
		}
		f, err := s.OpenThumb(one)
		small, format, err := image.Decode(bytes.NewReader(content(t, f, err)))
		if err != nil || format != c.thumb || small.Bounds().Dx() != c.small || small.Bounds().Dy() != c.tall {
			t.Errorf("%s: the small one is %s of %v, %v", name, format, small.Bounds(), err)
		}
	}
	webp := webpOf16x16
	if got := keep(t, s, one, webp); got.Type != "image/webp" || got.Width != 16 || !got.Thumb {
		t.Errorf("WebP: got %+v", got)
	}
}

// webpOf16x16 is a lossless WebP of one colour: header, 14 bits each of width and height less one, and five trees of one leaf.
var webpOf16x16 = func() []byte {
	bits := []byte{0x2f, 0x0f, 0xc0, 0x03, 0x00, 0x07, 0x10, 0xfd, 0x8f, 0xfe, 0x07, 0x22, 0xa2, 0xff, 0x01, 0x00}
	out := []byte("RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(out[4:], uint32(12+len(bits)))
	binary.LittleEndian.PutUint32(out[16:], uint32(len(bits)))
	return append(out, bits...)
}()

// withExif puts an orientation, and a place that nobody should learn, behind the start of a JPEG file.
func withExif(body []byte, side uint16, order binary.AppendByteOrder) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08")
	if order.(fmt.Stringer).String() == "LittleEndian" {
		tiff = []byte("II*\x00\x08\x00\x00\x00")
	}
	tiff = order.AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{0x010f, 7}, {274, side}} {
		tiff = order.AppendUint16(tiff, entry[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, entry[1])
		tiff = order.AppendUint16(tiff, 0)
	}
	tiff = append(tiff, "\x00\x00\x00\x00GPS 31.2304,121.4737"...)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, body[:2]...)
	out = append(out, 0xff, 0xe0, 0, 4, 1, 2) // another segment before it
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(segment)+2))
	return append(append(out, segment...), body[2:]...)
}

// The red quarter is at the top left of what a reader sees, however the camera was held.
func TestPicturesAreShownUpright(t *testing.T) {
	s, _ := open(t)
	// What a camera stores so that orientation n shows plane(64, 32), by the corner where red is: top left, top right, bottom right, bottom left.
	for side, corner := range map[uint16]image.Point{
		1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {0, 1}, 7: {1, 1}, 8: {1, 0},
	} {
		width, height := 64, 32
		if side >= 5 {
			width, height = height, width
		}
		stored := image.NewNRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				c := color.NRGBA{0, 0, 255, 255}
				if x*2/width == corner.X && y*2/height == corner.Y {
					c = color.NRGBA{255, 0, 0, 255}
				}
				stored.SetNRGBA(x, y, c)
			}
		}
		var order binary.AppendByteOrder = binary.BigEndian
		if side%2 == 0 {
			order = binary.LittleEndian
		}
		body := withExif(inJPEG(t, stored), side, order)
		got := keep(t, s, one, body)
		if got.Width != 64 || got.Height != 32 {
			t.Errorf("orientation %d: %d×%d", side, got.Width, got.Height)
		}
		f, err := s.OpenThumb(one)
		drawn := content(t, f, err)
		if bytes.Contains(drawn, []byte("GPS")) || bytes.Contains(drawn, []byte("Exif")) {
			t.Errorf("orientation %d: the small picture tells where it was taken", side)
		}
		small, err := jpeg.Decode(bytes.NewReader(drawn))
		if err != nil || small.Bounds().Dx() != 64 {
			t.Fatalf("orientation %d: %v, %v", side, small.Bounds(), err)
		}
		for at, red := range map[image.Point]bool{{16, 8}: true, {48, 8}: false, {16, 24}: false, {48, 24}: false} {
			if r, _, b, _ := small.At(at.X, at.Y).RGBA(); (r > b) != red {
				t.Errorf("orientation %d: at %v red is %v", side, at, r > b)
			}
		}
	}
}

func TestAvatarsAreSmallSquares(t *testing.T) {
	s, _ := open(t)
	keep(t, s, one, inPNG(t, plane(1000, 300)))
	if err := s.MakeAvatar(t.Context(), one, "image/png", two); err != nil {
		t.Fatal(err)
	}
	f, err := s.OpenAvatar(two)
	drawn, _, err := image.Decode(bytes.NewReader(content(t, f, err)))
	if err != nil || drawn.Bounds().Dx() != 256 || drawn.Bounds().Dy() != 256 {
		t.Fatalf("got %v, %v", drawn.Bounds(), err)
	}
	if r, _, b, _ := drawn.At(60, 60).RGBA(); r < b { // the middle of the picture is the border of red
		t.Error("it is not the middle that was taken")
	}
	keep(t, s, one, []byte("words"))
	for _, kind := range []string{"image/png", "text/plain; charset=utf-8", "text/html"} {
		if err := s.MakeAvatar(t.Context(), one, kind, two); !errors.Is(err, chat.ErrNoPicture) {
			t.Errorf("of %s: %v", kind, err)
		}
	}
}

// bomb is a PNG that promises width × height pixels and is hardly a hundred bytes.
func bomb(width, height uint32) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	head := binary.BigEndian.AppendUint32(nil, width)
	head = binary.BigEndian.AppendUint32(head, height)
	out = chunk(out, "IHDR", append(head, 16, 6, 0, 0, 0)) // 16 bits of red, green, blue and alpha
	out = chunk(out, "IDAT", []byte("\x78\x9c\x63\x00\x01\x00\x00\x05\x00\x01"))
	return chunk(out, "IEND", nil)
}

// chunk adds a chunk to a PNG: length, kind, data, checksum of both.
func chunk(to []byte, kind string, data []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(data)))
	body := append([]byte(kind), data...)
	return binary.BigEndian.AppendUint32(append(to, body...), crc32.ChecksumIEEE(body))
}

func TestPictureThatPromisesTooMuchIsNotDecoded(t *testing.T) {
	s, dir := open(t)
	s.WatchDecoding(func() error { t.Error("it was decoded"); return nil })
	for _, size := range [][2]uint32{{100_000, 100_000}, {40_001, 1000}, {1, 40_000_001}} {
		_, err := s.Keep(t.Context(), one, bytes.NewReader(bomb(size[0], size[1])), 0)
		if !errors.Is(err, chat.ErrTooManyPixels) {
			t.Errorf("%v: got %v, want %v", size, err, chat.ErrTooManyPixels)
		}
	}
	if names := left(t, dir); len(names) > 0 {
		t.Errorf("left are %v", names)
	}
	lifted, err := files.Open(files.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer lifted.Close()
	lifted.WatchDecoding(func() error { t.Error("it was decoded, though the limit is lifted"); return nil })
	if got := keep(t, lifted, one, bomb(100_000, 1000)); got.Width != 100_000 || got.Thumb {
		t.Errorf("with the limit lifted: got %+v", got)
	}
}

// A picture that is as large as allowed and brings next to nothing is refused by its decoder, not by the memory.
func TestPictureThatBringsLessThanItPromisesHasNoSmallOne(t *testing.T) {
	s, _ := open(t)
	if got := keep(t, s, one, bomb(100, 100)); got.Type != "image/png" || got.Thumb || got.Width != 100 {
		t.Errorf("got %+v", got)
	}
}

// inflating is a PNG of 8 × 8 pixels whose data unpacks to 24 megabytes, as does a comment of it.
func inflating(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 24 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	out := []byte("\x89PNG\r\n\x1a\n")
	out = chunk(out, "IHDR", []byte("\x00\x00\x00\x08\x00\x00\x00\x08\x08\x00\x00\x00\x00"))
	out = chunk(out, "zTXt", append([]byte("Comment\x00\x00"), packed.Bytes()...))
	out = chunk(out, "IDAT", packed.Bytes())
	return chunk(out, "IEND", nil)
}

func TestPictureThatUnpacksToMoreThanItPromisesTakesNoMemory(t *testing.T) {
	s, _ := open(t)
	body := inflating(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := keep(t, s, one, body)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 8<<20 {
		t.Errorf("%d bytes unpacked %d", len(body), taken)
	}
	if got.Type != "image/png" || got.Width != 8 {
		t.Errorf("got %+v", got)
	}
}

// frames is a GIF of so many frames.
func frames(t *testing.T, n int) []byte {
	t.Helper()
	p := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.White})
	g := &gif.GIF{}
	for range n {
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 1)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// reads counts the bytes that a decoder takes.
type reads struct {
	files.File
	n *atomic.Int64
}

func (r reads) Read(p []byte) (int, error) {
	n, err := r.File.Read(p)
	r.n.Add(int64(n))
	return n, err
}

func TestOfAnAnimationOneFrameIsDecoded(t *testing.T) {
	s, _ := open(t)
	var read atomic.Int64
	s.Create(func(name string, create func(string) (files.File, error)) (files.File, error) {
		f, err := create(name)
		return reads{f, &read}, err
	})
	body := frames(t, 3_000)
	if got := keep(t, s, one, body); !got.Thumb || got.Width != 8 {
		t.Errorf("got %+v", got)
	}
	if read.Load() > int64(len(body)/2) {
		t.Errorf("%d of %d bytes were read", read.Load(), len(body))
	}
}

func TestFewPicturesAreDecodedAtTheSameTime(t *testing.T) {
	for name, c := range map[string]struct {
		width, most int
	}{"small ones": {64, 2}, "large ones": {4000, 1}} {
		height := 64
		if c.width == 4000 {
			height = 3001
		}
		body := bomb(uint32(c.width), uint32(height))
		synctest.Test(t, func(t *testing.T) {
			s, _ := open(t)
			var now, most atomic.Int64
			s.WatchDecoding(func() error {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second) // so that all who may are here
				now.Add(-1)
				return errors.New("not drawn")
			})
			var wait sync.WaitGroup
			for i := range 6 {
				id := chat.FileID(fmt.Sprintf("01890000-0000-7000-8000-0000000000a%d", i))
				wait.Go(func() { keep(t, s, id, body) })
			}
			wait.Wait()
			if got := int(most.Load()); got != c.most {
				t.Errorf("%s: %d at the same time, want %d", name, got, c.most)
			}
		})
	}
}

func TestWhoGivesUpWaitingLeavesNothing(t *testing.T) {
	s, dir := open(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	s.WatchDecoding(func() error { cancel(gone); return nil })
	if _, err := s.Keep(ctx, one, bytes.NewReader(inPNG(t, plane(4, 4))), 0); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if names := left(t, dir); len(names) > 0 {
		t.Errorf("left are %v", names)
	}
}

func TestWhatIsRefusedOrAbortedLeavesNothing(t *testing.T) {
	s, dir := open(t)
	broken := errors.New("the connection is gone")
	for name, c := range map[string]struct {
		body  io.Reader
		limit int64
		want  error
	}{
		"too large": {strings.NewReader("12345"), 4, chat.ErrTooLarge},
		"aborted":   {io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(broken)), 0, broken},
	} {
		if _, err := s.Keep(t.Context(), one, c.body, c.limit); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if names := left(t, dir); len(names) > 0 {
			t.Errorf("%s: left are %v", name, names)
		}
	}
	if got := keep(t, s, one, []byte("1234")); got.Size != 4 {
		t.Errorf("got %+v", got)
	}
}

// endless is a body without end, up to what a test can bear.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read += len(p); e.read > 8<<20 {
		return 0, errors.New("it was read on and on")
	}
	return len(p), nil
}

func TestAnEndlessBodyIsCut(t *testing.T) {
	s, _ := open(t)
	if _, err := s.Keep(t.Context(), one, &endless{}, 1000); !errors.Is(err, chat.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, chat.ErrTooLarge)
	}
}

// full is a file on a disk that has room for so many bytes more.
type full struct {
	files.File
	room *int
	sync error
}

func (f full) Write(p []byte) (int, error) {
	if len(p) > *f.room {
		n, _ := f.File.Write(p[:*f.room])
		*f.room = 0
		return n, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	*f.room -= len(p)
	return f.File.Write(p)
}

func (f full) Sync() error { return errors.Join(f.File.Sync(), f.sync) }

func TestAFullDiskIsSaidAndLeavesNothing(t *testing.T) {
	picture := inPNG(t, plane(700, 700))
	for name, c := range map[string]struct {
		room int
		sync error
		make error
	}{
		"in the middle of the file":          {room: 100},
		"in the middle of its small picture": {room: len(picture) + 10},
		"when it is synced":                  {room: 1 << 30, sync: syscall.ENOSPC},
		"when it is made":                    {room: 1 << 30, make: syscall.ENOSPC},
	} {
		s, dir := open(t)
		s.Create(func(name string, create func(string) (files.File, error)) (files.File, error) {
			if c.make != nil {
				return nil, c.make
			}
			f, err := create(name)
			return full{f, &c.room, c.sync}, err
		})
		if _, err := s.Keep(t.Context(), one, bytes.NewReader(picture), 0); !errors.Is(err, chat.ErrNoSpace) {
			t.Errorf("%s: got %v, want %v", name, err, chat.ErrNoSpace)
		}
		if names := left(t, dir); len(names) > 0 {
			t.Errorf("%s: left are %v", name, names)
		}
		if _, err := s.Open(one); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%s: half a file is served: %v", name, err)
		}
	}
}

// What a process that was killed was writing is never served, and goes.
func TestACrashLeavesNoHalfFile(t *testing.T) {
	s, dir := open(t)
	keep(t, s, one, []byte("whole"))
	coming := filepath.Join(dir, "coming")
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "young": time.Minute} {
		path := filepath.Join(coming, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := files.Open(files.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if names := left(t, coming); len(names) != 1 || filepath.Base(names[0]) != "young" {
		t.Errorf("left are %v", names)
	}
	f, err := again.Open(one)
	if got := content(t, f, err); string(got) != "whole" {
		t.Errorf("got %q", got)
	}
}

func TestNoIDLeadsOutOfTheFolder(t *testing.T) {
	s, dir := open(t)
	secret := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []chat.FileID{"", ".", "..", "../secret", "../../secret", chat.FileID(secret), "..%2fsecret", "coming/x",
		"01890000-0000-7000-8000-00000000000/", "01890000-0000-7000-8000-../../secret", "01890000-0000-7000-8000-0000000000AB", one + "\x00"} {
		if _, err := s.Keep(t.Context(), id, strings.NewReader("x"), 0); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%q is kept: %v", id, err)
		}
		if f, err := s.Open(id); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%q is opened: %v, %v", id, f, err)
		}
		if err := s.Drop([]chat.FileID{id}); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error(err)
	}
	// Somebody who can write to the folder must not lead the server out of it either.
	if err := os.Mkdir(filepath.Join(dir, "kept", "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "kept", "ab", string(one))); err != nil {
		t.Skip(err)
	}
	if f, err := s.Open(one); err == nil {
		t.Errorf("a link leads to %q", content(t, f, nil))
	}
}

func TestWhatIsOldIsListed(t *testing.T) {
	s, dir := open(t)
	keep(t, s, one, inPNG(t, plane(4, 4)))
	keep(t, s, two, []byte("young"))
	if err := os.WriteFile(filepath.Join(dir, "kept", "README"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "kept", "ab", string(one)), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	ids, err := s.Kept(time.Now().Add(-time.Minute))
	if err != nil || len(ids) != 1 || ids[0] != one {
		t.Errorf("got %v, %v", ids, err)
	}
	if err := s.MakeAvatar(t.Context(), one, "image/png", two); err != nil {
		t.Fatal(err)
	}
	if ids, err := s.Avatars(time.Now().Add(time.Minute)); err != nil || len(ids) != 1 || ids[0] != two {
		t.Errorf("got %v, %v", ids, err)
	}
	if err := s.DropAvatars([]chat.FileID{two}); err != nil {
		t.Error(err)
	}
	if _, err := s.OpenAvatar(two); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("after it was dropped: %v", err)
	}
}

func FuzzOrientation(f *testing.F) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, plane(8, 8), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(withExif(out.Bytes(), 6, binary.BigEndian))
	f.Add(withExif(out.Bytes(), 3, binary.LittleEndian))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got := files.Orientation(bytes.NewReader(body)); got < 1 || got > 8 {
			t.Errorf("got %d", got)
		}
	})
}
