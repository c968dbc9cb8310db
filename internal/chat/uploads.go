package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"qun/internal/names"
)

// NewUpload is a file on its way in.
type NewUpload struct {
	Name string // as the uploader calls it
	Key  string // 1–64 bytes, or empty: then it is kept as often as it is sent
	Size int64  // as announced; -1 if it was not
	Body io.Reader
}

const (
	// uploadsPerUser and uploadsInAll bound what comes in at the same time.
	uploadsPerUser = 4
	uploadsInAll   = 64

	// How many files and avatars a user makes: small ones take more than their bytes. Who lifts the limit of messages lifts
	// this one, too.
	uploadsPerSecond, uploadBurst = 0.5, 60
	avatarsPerSecond, avatarBurst = 0.02, 10

	// guestShare is which part of a member's quota a guest has.
	guestShare = 10
)

func fileRate(l Limits, perSecond float64) float64 {
	if l.MessagesPerSecond == 0 {
		return 0
	}
	return perSecond
}

// Upload keeps a file, for messages that its user sends later. The same key of the same user is the same file: sending
// it again stores nothing.
func (s *Service) Upload(ctx context.Context, by *User, in NewUpload) (*File, error) {
	switch {
	case s.cfg.Files == nil:
		return nil, refuseNoFiles()
	case by.Guest && s.Guests() == GuestsOff:
		return nil, refuseGuests()
	case !validClientID(in.Key):
		return nil, refuseClientID()
	}
	if wait := s.incoming.Take(by.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	leave, err := s.arrivals.enter(by.ID)
	if err != nil {
		return nil, err
	}
	defer leave()
	before, err := s.uploadedBefore(ctx, by, in.Key)
	if err == nil && before == nil {
		err = s.roomFor(ctx, by, in.Size)
	}
	if err != nil {
		return nil, refusal(err, "look for room")
	}
	u := &Upload{By: by.ID, Key: in.Key}
	u.ID, u.Name, u.MadeAt = FileID(newID(s.cfg.Now())), names.File(in.Name), s.now()
	u.IdleAt = u.MadeAt
	if err := s.receive(ctx, u, in.Body); err != nil {
		return nil, s.badUpload(err)
	}
	if before != nil {
		return s.sameUpload(u, before)
	}
	return s.addUpload(ctx, by, u)
}

// uploadedBefore is what by uploaded under a key; nil if that is nothing.
func (s *Service) uploadedBefore(ctx context.Context, by *User, key string) (before *Upload, err error) {
	if key == "" {
		return nil, nil
	}
	err = s.store.View(ctx, func(r Reader) error {
		before, err = r.UploadByKey(by.ID, key)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return before, err
}

// roomFor refuses early what would not fit; what was not announced is found out when it is here.
func (s *Service) roomFor(ctx context.Context, by *User, size int64) error {
	if limit := s.Limits().UploadBytes; limit > 0 && size > limit {
		return s.badUpload(ErrTooLarge)
	}
	size = max(size, 1)
	ownLimit, allLimit := s.quotas(by)
	return s.store.View(ctx, func(r Reader) error {
		own, all, err := r.Stored(by.ID)
		switch {
		case err != nil:
			return err
		case ownLimit > 0 && own+size > ownLimit:
			return s.badUpload(ErrQuota)
		case allLimit > 0 && all+size > allLimit:
			return s.badUpload(ErrFull)
		}
		return nil
	})
}

func (s *Service) quotas(by *User) (own, all int64) {
	own, all = s.Limits().UserBytes, s.Limits().AllBytes
	if by.Guest && own > 0 {
		own = max(1, own/guestShare)
	}
	return own, all
}

// receive keeps the bytes of u and fills in what they are.
func (s *Service) receive(ctx context.Context, u *Upload, body io.Reader) error {
	content, err := s.cfg.Files.Keep(ctx, u.ID, body, s.Limits().UploadBytes)
	if err != nil {
		return err
	}
	u.Size, u.Type, u.Width, u.Height, u.Hash = content.Size, content.Type, content.Width, content.Height, content.Hash
	u.Complete(content.Thumb)
	return nil
}

// addUpload stores u, or finds that it was stored meanwhile. Of an error that leaves open whether it was, the bytes stay:
// the sweep finds out.
func (s *Service) addUpload(ctx context.Context, by *User, u *Upload) (*File, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	own, all := s.quotas(by)
	err := s.store.AddUpload(ctx, u, own, all)
	if errors.Is(err, ErrKeyUsed) {
		before, err := s.uploadedBefore(ctx, by, u.Key)
		if err != nil || before == nil {
			return nil, refusal(err, "look up an upload")
		}
		return s.sameUpload(u, before)
	}
	if errors.Is(err, ErrQuota) || errors.Is(err, ErrFull) {
		s.dropBytes([]FileID{u.ID})
	}
	if err != nil {
		return nil, s.badUpload(err)
	}
	return &u.File, nil
}

// sameUpload answers a key that came again with what it stands for, if that is the same.
func (s *Service) sameUpload(again, before *Upload) (*File, error) {
	s.dropBytes([]FileID{again.ID})
	if again.Hash != before.Hash || again.Name != before.Name {
		return nil, refuseUploadConflict()
	}
	return &before.File, nil
}

// dropBytes deletes what nothing leads to. What stays all the same, the sweep finds.
func (s *Service) dropBytes(ids []FileID) {
	if err := s.cfg.Files.Drop(ids); err != nil {
		s.cfg.Logger.Error("delete files", "error", err)
	}
}

// badUpload is what the uploader may know of an error.
func (s *Service) badUpload(err error) error {
	limits := s.Limits()
	switch {
	case errors.Is(err, ErrTooLarge):
		return refuseLargeFile(limits.UploadBytes)
	case errors.Is(err, ErrTooManyPixels):
		return refusePixels()
	case errors.Is(err, ErrQuota):
		return refuseQuota()
	case errors.Is(err, ErrFull):
		return refuseStorage()
	case errors.Is(err, ErrNoSpace):
		s.cfg.Logger.Error("the disk is full: no file can be kept", "error", err)
		return refuseStorage()
	}
	return refusal(err, "keep a file")
}

// NewAvatar makes an avatar of a picture that by uploaded, and returns its address. "" stays "": no avatar.
func (s *Service) NewAvatar(ctx context.Context, by *User, id FileID) (string, error) {
	if id == "" {
		return "", nil
	}
	if s.cfg.Files == nil {
		return "", refuseNoFiles()
	}
	var u *Upload
	err := s.store.View(ctx, func(r Reader) (err error) {
		u, err = s.ownUpload(r, by, id)
		return err
	})
	if err != nil {
		return "", refusal(err, "look up an upload")
	}
	if wait := s.pictures.Take(by.ID); wait > 0 {
		return "", refuseRate(wait)
	}
	avatar := FileID(newID(s.cfg.Now()))
	err = s.cfg.Files.MakeAvatar(ctx, id, u.Type, avatar)
	switch {
	case errors.Is(err, ErrNoPicture):
		return "", refuseNoPicture()
	case errors.Is(err, ErrNotFound):
		return "", refuseFiles()
	case err != nil:
		return "", s.badUpload(err)
	}
	return avatarPath + string(avatar), nil
}

// avatarPath is where avatars are.
const avatarPath = "/avatars/"

// OpenAvatar opens an avatar. They are open to anybody who knows one: they stand beside every message.
func (s *Service) OpenAvatar(id FileID) (io.ReadSeekCloser, error) {
	if s.cfg.Files == nil {
		return nil, refuseFile()
	}
	f, err := s.cfg.Files.OpenAvatar(id)
	if errors.Is(err, ErrNotFound) {
		return nil, refuseFile()
	}
	if err != nil {
		return nil, fmt.Errorf("open an avatar: %w", err)
	}
	return f, nil
}

// arrivals bounds what is uploaded at the same time.
type arrivals struct {
	mu     sync.Mutex // guards below
	all    int
	byUser map[UserID]int
}

// enter takes a place, until leave is called.
func (a *arrivals) enter(u UserID) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byUser[u] >= uploadsPerUser {
		return nil, refuseRate(time.Second)
	}
	if a.all >= uploadsInAll {
		return nil, refuseBusy()
	}
	if a.byUser == nil {
		a.byUser = map[UserID]int{}
	}
	a.all++
	a.byUser[u]++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all--
		if a.byUser[u]--; a.byUser[u] == 0 {
			delete(a.byUser, u)
		}
	}, nil
}
