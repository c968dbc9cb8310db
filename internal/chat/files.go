package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// File is an uploaded file as a message carries it. Its addresses begin at the server's root.
type File struct {
	ID       FileID `json:"fileId"`
	Name     string `json:"name"`
	Size     int64  `json:"size"`
	Type     string `json:"type"` // as its bytes say
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	URL      string `json:"url"`
	ThumbURL string `json:"thumbUrl,omitempty"`
}

// Upload is a file as it is kept: what messages carry of it, and what stays inside.
type Upload struct {
	File
	By     UserID
	Key    string   // what the uploader calls the act, so that doing it again does nothing; "" for none
	Hash   [32]byte // of the bytes as they are kept
	MadeAt Time
	IdleAt Time // since when no message carries it, unless one does
}

// Content is what bytes turned out to be.
type Content struct {
	Size          int64    // of what was kept
	Type          string   // as the bytes say, whatever their name claims
	Width, Height int      // of a picture as it is shown; 0 of anything else
	Thumb         bool     // there is a small picture of it
	Hash          [32]byte // SHA-256 of what was received
}

// Files keeps the bytes of uploads and of avatars. What it returned without an error survives any crash; what it
// returned an error for left nothing. What is not there is ErrNotFound.
type Files interface {
	// Keep stores what body brings until its end. More than limit bytes (0: no limit) are ErrTooLarge, a picture of too
	// many pixels ErrTooManyPixels, a full disk ErrNoSpace.
	Keep(ctx context.Context, id FileID, body io.Reader, limit int64) (*Content, error)
	// KeepDrawn stores a small picture of the picture of, and nothing else of it. What cannot be drawn is ErrNoPicture, too
	// many pixels are ErrTooManyPixels.
	KeepDrawn(ctx context.Context, id FileID, of io.ReadSeeker) (*Content, error)
	// MakeAvatar keeps the middle of the picture of, whose type is kind, small and square under id. What cannot be drawn
	// is ErrNoPicture.
	MakeAvatar(ctx context.Context, of FileID, kind string, id FileID) error

	Open(FileID) (io.ReadSeekCloser, error)
	OpenThumb(FileID) (io.ReadSeekCloser, error)
	OpenAvatar(FileID) (io.ReadSeekCloser, error)

	// Drop deletes files and their small pictures; what is gone already is no error. DropAvatars deletes avatars.
	Drop([]FileID) error
	DropAvatars([]FileID) error
	// Kept and Avatars list what was written before a time.
	Kept(before time.Time) ([]FileID, error)
	Avatars(before time.Time) ([]FileID, error)
}

// Facts that Files and FileStore report.
var (
	ErrTooLarge      = errors.New("the file is too large")
	ErrTooManyPixels = errors.New("the picture has too many pixels")
	ErrNoPicture     = errors.New("this is no picture")
	ErrNoSpace       = errors.New("there is no space left")
	ErrQuota         = errors.New("the user's files take as much as they may")
	ErrFull          = errors.New("all files take as much as they may")
	ErrKeyUsed       = errors.New("the key was used for another upload")
)

// FileStore keeps what is known of uploads. A message that carries files is told to it in the message's own transaction.
type FileStore interface {
	// AddUpload stores an upload and adds its size to its user's and to everybody's, unless that would be more than own or
	// all bytes (0: no limit): ErrQuota, ErrFull. A Key that its user used before is ErrKeyUsed.
	AddUpload(ctx context.Context, u *Upload, own, all int64) error
	// EndFileUses forgets that messages carry files, and notes since when those are idle that no other message carries.
	EndFileUses(ctx context.Context, uses []FileUse, now Time) error
	// ForgetIdle deletes uploads that have been idle since before a time and that no message carries, at most limit.
	ForgetIdle(ctx context.Context, before Time, limit int) ([]FileID, error)
}

// FileUse says that a message carries a file.
type FileUse struct {
	File  FileID
	Group GroupID
	Seq   Seq
}

// FileReader finds uploads.
type FileReader interface {
	Upload(FileID) (*Upload, error)
	UploadByKey(u UserID, key string) (*Upload, error)
	// Stored is what a user's files take, and everybody's, in bytes.
	Stored(UserID) (own, all int64, err error)
	// FileUses are messages that carry a file, in open groups and in groups that the user is in: the newest of each
	// group, of at most limit groups.
	FileUses(f FileID, u UserID, limit int) ([]FileUse, error)
	// EndedFileUses are uses of which the message does not carry the file any more, or is gone; at most limit.
	EndedFileUses(limit int) ([]FileUse, error)
	// AvatarsInUse are the avatars of all users and groups.
	AvatarsInUse() ([]string, error)
}

const (
	// maxFiles is how many files a message may carry.
	maxFiles = 9
	// idleTime is how long a file is kept that no message carries. It can be sent until a little earlier, so that none is
	// deleted while it is being sent.
	idleTime = 24 * time.Hour
	sendable = idleTime - time.Hour
)

// Complete fills in the addresses of a file. thumb says that there is a small picture of it.
func (f *File) Complete(thumb bool) {
	f.URL = "/files/" + string(f.ID) + "/" + url.PathEscape(f.Name)
	if thumb {
		f.ThumbURL = "/thumbs/" + string(f.ID)
	}
}

// Carried are all files of a message, the picture of its preview with them.
func (m *Message) Carried() []File {
	if m.Preview == nil || m.Preview.Picture == nil {
		return m.Files
	}
	return append(slices.Clip(m.Files), *m.Preview.Picture)
}

// uploads are the files that in asks for: by's own.
func (s *Service) uploads(ctx context.Context, by *User, in *NewMessage) ([]File, error) {
	switch {
	case len(in.Files) == 0:
		return nil, nil
	case s.cfg.Files == nil:
		return nil, refuseFiles()
	case len(in.Files) > maxFiles:
		return nil, refuseManyFiles(maxFiles)
	}
	var files []File
	err := s.store.View(ctx, func(r Reader) error {
		files = nil
		for _, id := range in.Files {
			u, err := s.ownUpload(r, by, id)
			if err != nil {
				return err
			}
			files = append(files, u.File)
		}
		return nil
	})
	return files, refusal(err, "look up uploads")
}

// ownUpload is a file that by uploaded and may still send.
func (s *Service) ownUpload(r Reader, by *User, id FileID) (*Upload, error) {
	u, err := r.Upload(id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, refuseFiles()
	case err != nil:
		return nil, fmt.Errorf("look up file %s: %w", id, err)
	case u.By != by.ID:
		return nil, refuseFiles()
	case u.IdleAt.Std().Add(sendable).After(s.cfg.Now()):
		return u, nil
	}
	uses, err := r.FileUses(id, by.ID, 1)
	if err == nil && len(uses) == 0 {
		err = refuseFiles()
	}
	return u, err
}

// fileText is what stands in for the text of a message that has files only: a line for each, for those who read nothing else.
func (s *Service) fileText(files []File) string {
	lines := make([]string, len(files))
	for i, f := range files {
		kind := "[文件] "
		if strings.HasPrefix(f.Type, "image/") {
			kind = "[图片] "
		}
		lines[i] = kind + f.Name + " " + s.cfg.URL + f.URL
	}
	return strings.Join(lines, "\n")
}

// OpenedFile is a file about to be read, and closed.
type OpenedFile struct {
	Upload
	io.ReadSeekCloser
}

// OpenFile opens a file for somebody who may see a message that carries it, or uploaded it; who is nil for nobody. Files of
// open groups are open to anybody. Absent and forbidden are alike.
func (s *Service) OpenFile(ctx context.Context, who *User, id FileID) (*OpenedFile, error) {
	return s.openFile(ctx, who, id, Files.Open)
}

// OpenThumb opens the small picture of a file, for the same people.
func (s *Service) OpenThumb(ctx context.Context, who *User, id FileID) (*OpenedFile, error) {
	return s.openFile(ctx, who, id, Files.OpenThumb)
}

func (s *Service) openFile(ctx context.Context, who *User, id FileID, open func(Files, FileID) (io.ReadSeekCloser, error)) (*OpenedFile, error) {
	if s.cfg.Files == nil {
		return nil, refuseFile()
	}
	if who == nil {
		who = &User{Guest: true}
	}
	var opened *OpenedFile
	err := s.store.View(ctx, func(r Reader) error {
		u, err := r.Upload(id)
		if err != nil {
			return err
		}
		opened = &OpenedFile{Upload: *u}
		return s.mayOpen(r, who, u)
	})
	if err == nil {
		opened.ReadSeekCloser, err = open(s.cfg.Files, id)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, refuseFile()
	}
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("open file %s", id))
	}
	return opened, nil
}

// manyUses bounds in how many groups is looked for one in which somebody may see a file.
const manyUses = 1000

// mayOpen refuses who neither uploaded a file nor may see a message that carries it.
func (s *Service) mayOpen(r Reader, who *User, u *Upload) error {
	if who.ID == u.By {
		return nil
	}
	uses, err := r.FileUses(u.ID, who.ID, manyUses)
	if err != nil {
		return err
	}
	for _, use := range uses {
		shown, err := s.shows(r, who, use)
		if err != nil || shown {
			return err
		}
	}
	return refuseFile()
}

// shows reports whether who may see the message of a use.
func (s *Service) shows(r Reader, who *User, use FileUse) (bool, error) {
	g, err := r.Group(use.Group)
	if err != nil {
		return false, err
	}
	m, err := membership(r, use.Group, who.ID)
	switch {
	case err != nil:
		return false, err
	case g.DissolvedAt != 0 || use.Seq < firstSeq(g, m) || who.Guest && s.Guests() == GuestsOff:
		return false, nil
	}
	return m.Active() || g.Visibility == VisibilityOpen, nil
}
