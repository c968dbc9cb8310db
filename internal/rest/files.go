package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Files is what uploads and downloads ask of the chat.
type Files interface {
	Upload(ctx context.Context, by *chat.User, in chat.NewUpload) (*chat.File, error)
	OpenFile(ctx context.Context, who *chat.User, id chat.FileID) (*chat.OpenedFile, error)
	OpenThumb(ctx context.Context, who *chat.User, id chat.FileID) (*chat.OpenedFile, error)
	OpenAvatar(id chat.FileID) (io.ReadSeekCloser, error)
}

func (s *server) registerFiles(mux *http.ServeMux) {
	const tag = "files"
	s.raw(mux, route{
		ID: "upload", Method: http.MethodPost, Path: "/files", Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Upload a file, to be sent in a message within a day",
		Refuses: []chat.Code{chat.CodeInvalid, chat.CodeTooLarge, chat.CodeConflict},
	}, s.upload, describeUpload)
	s.serve(mux, "GET /files/{fileId}/{name}", s.getFile)
	s.serve(mux, "GET /thumbs/{fileId}", s.getThumb)
	s.serve(mux, "GET /avatars/{fileId}", s.getAvatar)
}

// describeUpload says what a stream cannot say by its type.
func describeUpload(op *huma.Operation, schemas huma.Registry) {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{"file": file},
		}},
	}}
	op.Parameters = []*huma.Param{{
		Name: idempotencyKey, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "1 to 64 bytes: the same key is the same file, however often it is sent.",
	}}
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: schemas.Schema(reflect.TypeFor[fileOut](), true, "")},
	}}
}

// idempotencyKey is the header that names an act, so that doing it again does nothing.
const idempotencyKey = "Idempotency-Key"

type fileOut struct {
	File *chat.File `json:"file"`
}

// upload keeps the part "file" of a form. It is read as it comes, and never whole in memory.
func (s *server) upload(w http.ResponseWriter, r *http.Request, c *caller) {
	r.Body = &paced{ReadCloser: r.Body, deadlines: http.NewResponseController(w), began: time.Now()}
	part, err := filePart(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	file, err := s.Chat.Upload(r.Context(), c.User, chat.NewUpload{
		Name: part.FileName(), Key: r.Header.Get(idempotencyKey), Size: announced(r), Body: part,
	})
	if err != nil {
		s.fail(w, r, cut(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = huma.DefaultJSONFormat.Marshal(w, fileOut{file}) // an error means that the reader went away
}

// filePart is the first part called file; others before it are passed over.
func filePart(r *http.Request) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, refuseForm()
	}
	for range maxParts {
		part, err := form.NextPart()
		if err != nil {
			break
		}
		if part.FormName() == "file" {
			return part, nil
		}
	}
	return nil, refuseForm()
}

// maxParts bounds how many parts of a form are passed over.
const maxParts = 10

// announced is about how large the file is, by the length of the form around it; -1 if nobody says.
func announced(r *http.Request) int64 {
	const around = 4 << 10
	if r.ContentLength < around {
		return r.ContentLength
	}
	return r.ContentLength - around
}

// cut makes of a body that ended too early, or came too slowly, a refusal: it is no accident of the server's.
func cut(err error) error {
	var network interface{ Timeout() bool }
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return chat.Refuse(chat.CodeInvalid, "the file did not arrive whole", "文件未能完整送达")
	}
	return err
}

func refuseForm() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, `send a form (multipart/form-data) with the file in the part "file"`,
		`请以 multipart/form-data 表单上传，文件放在 "file" 部分`)
}

const (
	// patience is how long nothing may come or be taken, slowest how many bytes a second must come on the whole.
	patience = 30 * time.Second
	slowest  = 16 << 10
)

// paced is a body that must not come too slowly: who sends a byte now and then would hold a place for ever.
type paced struct {
	io.ReadCloser
	deadlines *http.ResponseController
	began     time.Time
	came      int64
}

func (p *paced) Read(buffer []byte) (int, error) {
	_ = p.deadlines.SetReadDeadline(p.began.Add(timeFor(p.came))) // not every writer can; then the server's own timeouts hold
	_ = p.deadlines.SetWriteDeadline(p.began.Add(timeFor(p.came) + answerTime))
	n, err := p.ReadCloser.Read(buffer)
	p.came += int64(n)
	if err == io.EOF { // from here on the connection is watched, and a deadline that passes would end the request
		_ = p.deadlines.SetReadDeadline(time.Now().Add(answerTime))
	}
	return n, err
}

// timeFor is how long so many bytes may take.
func timeFor(bytes int64) time.Duration {
	return patience + time.Duration(bytes)*time.Second/slowest
}

// inline are the types that a browser may show by itself: nothing in them runs. All others are saved.
var inline = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true,
	"audio/mpeg": true, "audio/wave": true, "audio/aiff": true, "application/ogg": true,
	"video/mp4": true, "video/webm": true,
}

// harmless are types that are told, though not shown: what a browser makes of them is to save them.
var harmless = map[string]bool{"application/pdf": true, "application/zip": true, "application/x-gzip": true}

// sandboxed lets a file run nothing, load nothing and be nobody, wherever it is shown.
const sandboxed = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// keptFor is how long browsers keep what never changes. It is nobody else's to keep: who may see it is asked each time.
const (
	keptFor       = "private, max-age=31536000, immutable"
	keptByAnybody = "public, max-age=31536000, immutable"
)

// getFile serves a file to who may see a message that carries it.
func (s *server) getFile(w http.ResponseWriter, r *http.Request, c *caller) error {
	f, err := s.Chat.OpenFile(r.Context(), c.User, chat.FileID(r.PathValue("fileId")))
	if err != nil {
		return err
	}
	defer f.Close()
	kind, disposition := "application/octet-stream", "attachment"
	if inline[f.Type] {
		kind, disposition = f.Type, "inline"
	} else if harmless[f.Type] {
		kind = f.Type
	}
	w.Header().Set("Content-Disposition", disposition+"; "+fileName(f.Name))
	w.Header().Set("Cache-Control", keptFor)
	send(w, r, f, kind, string(f.ID))
	return nil
}

// getThumb serves the small picture of a file to the same people.
func (s *server) getThumb(w http.ResponseWriter, r *http.Request, c *caller) error {
	f, err := s.Chat.OpenThumb(r.Context(), c.User, chat.FileID(r.PathValue("fileId")))
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("Cache-Control", keptFor)
	return sendDrawn(w, r, f, "thumb-"+string(f.ID))
}

// getAvatar serves an avatar to anybody: it stands beside every message, and its address cannot be guessed.
func (s *server) getAvatar(w http.ResponseWriter, r *http.Request, _ *caller) error {
	id := chat.FileID(r.PathValue("fileId"))
	f, err := s.Chat.OpenAvatar(id)
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("Cache-Control", keptByAnybody)
	return sendDrawn(w, r, f, string(id))
}

// sendDrawn sends a picture that the server drew itself: a JPEG or a PNG.
func sendDrawn(w http.ResponseWriter, r *http.Request, f io.ReadSeeker, tag string) error {
	var head [8]byte
	n, err := io.ReadFull(f, head[:])
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("read a picture: %w", err)
	}
	w.Header().Set("Content-Disposition", "inline")
	send(w, r, f, http.DetectContentType(head[:n]), tag)
	return nil
}

// send serves bytes that never change. What they are is said here, and not to be guessed.
func send(w http.ResponseWriter, r *http.Request, f io.ReadSeeker, kind, tag string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", sandboxed)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// fileName is the name of a file in a Content-Disposition: once for who knows no more than ASCII, once for all others (RFC
// 6266, 4.3; RFC 8187, 3.2).
func fileName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	if plain == name {
		return `filename="` + plain + `"`
	}
	return `filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
