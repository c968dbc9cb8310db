package files

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"qun/internal/chat"
)

// The folders.
const (
	kept    = "kept"
	thumbs  = "thumbs"
	avatars = "avatars"
	coming  = "coming"
)

// stale is how old what is left in coming must be to go: another program that shares the folder may be writing it.
const stale = 24 * time.Hour

// Config says where files are, and what may be decoded.
type Config struct {
	Dir    string // made if it is not there
	Pixels int    // of a picture; more is refused. 0 lifts the limit, and then what has more than 40 million gets no small picture
}

// Store keeps files in a folder.
type Store struct {
	// Set once.
	root   *os.Root
	pixels int
	turns  *turns
	create func(name string) (file, error) // in coming, which nobody else writes
	decode func(kind string, r io.Reader) (picture, error)
}

var _ chat.Files = (*Store)(nil)

// file is what a Store writes to.
type file interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// Open opens the folder, until Close.
func Open(cfg Config) (*Store, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of files: %w", err)
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of files: %w", err)
	}
	s := &Store{root: root, pixels: cfg.Pixels, turns: newTurns(), decode: decode}
	s.create = func(name string) (file, error) {
		return root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// Look opens the folder to read it, and changes nothing; one that is not there is fs.ErrNotExist.
func Look(dir string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of files: %w", err)
	}
	return &Store{root: root}, nil
}

// prepare makes the folders, and clears what a crash left behind.
func (s *Store) prepare() error {
	for _, folder := range []string{kept, thumbs, avatars, coming} {
		if err := s.root.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make the folder %s: %w", folder, err)
		}
	}
	return s.walk(coming, func(name string, written time.Time) error {
		if time.Since(written) < stale {
			return nil
		}
		return s.root.Remove(name)
	})
}

// Close lets go of the folder.
func (s *Store) Close() error { return s.root.Close() }

// Open opens a kept file; one that is not there is chat.ErrNotFound.
func (s *Store) Open(id chat.FileID) (io.ReadSeekCloser, error) { return s.open(kept, id) }

// OpenThumb opens the small picture of a kept file.
func (s *Store) OpenThumb(id chat.FileID) (io.ReadSeekCloser, error) { return s.open(thumbs, id) }

// OpenAvatar opens an avatar.
func (s *Store) OpenAvatar(id chat.FileID) (io.ReadSeekCloser, error) { return s.open(avatars, id) }

func (s *Store) open(folder string, id chat.FileID) (io.ReadSeekCloser, error) {
	name, err := place(folder, id)
	if err != nil {
		return nil, err
	}
	f, err := s.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, chat.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return f, nil
}

// Drop deletes files and their small pictures. What is not there is gone already.
func (s *Store) Drop(ids []chat.FileID) error {
	return errors.Join(s.drop(kept, ids), s.drop(thumbs, ids))
}

// DropAvatars deletes avatars.
func (s *Store) DropAvatars(ids []chat.FileID) error { return s.drop(avatars, ids) }

func (s *Store) drop(folder string, ids []chat.FileID) error {
	var errs []error
	for _, id := range ids {
		name, err := place(folder, id)
		if err != nil {
			continue
		}
		errs = append(errs, s.remove(name))
	}
	return errors.Join(errs...)
}

// Kept lists the files that were written before a time.
func (s *Store) Kept(before time.Time) ([]chat.FileID, error) { return s.list(kept, before) }

// Avatars lists the avatars that were written before a time.
func (s *Store) Avatars(before time.Time) ([]chat.FileID, error) { return s.list(avatars, before) }

func (s *Store) list(folder string, before time.Time) (ids []chat.FileID, err error) {
	err = s.walk(folder, func(name string, written time.Time) error {
		if id := chat.FileID(path.Base(name)); isID(id) && written.Before(before) {
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

// walk visits the files below a folder.
func (s *Store) walk(folder string, visit func(name string, written time.Time) error) error {
	err := fs.WalkDir(s.root.FS(), folder, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // it went meanwhile, or never was
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // it went meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		return visit(name, info.ModTime())
	})
	if err != nil {
		return fmt.Errorf("look through %s: %w", folder, err)
	}
	return nil
}

// write makes a new file of what fill writes. It is there, and durable, when write returns without an error, and else
// nothing is.
func (s *Store) write(ctx context.Context, folder string, id chat.FileID, fill func(file) error) error {
	name, err := place(folder, id)
	if err != nil {
		return err
	}
	draft := path.Join(coming, randomName())
	if err = s.fill(draft, fill); err == nil {
		err = context.Cause(ctx) // who asked may have given up
	}
	if err == nil {
		err = s.publish(draft, name)
	}
	if err != nil {
		return noSpace(errors.Join(err, s.remove(draft)))
	}
	return nil
}

// fill writes a draft to its end.
func (s *Store) fill(draft string, fill func(file) error) error {
	f, err := s.create(draft)
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// publish gives a whole file its name, and makes the name durable.
func (s *Store) publish(draft, name string) error {
	folder := path.Dir(name)
	switch err := s.root.Mkdir(folder, 0o700); {
	case err == nil:
		if err := s.syncFolder(path.Dir(folder)); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("make the folder %s: %w", folder, err)
	}
	if err := s.root.Rename(draft, name); err != nil {
		return fmt.Errorf("name a file: %w", err)
	}
	if err := s.syncFolder(folder); err != nil {
		return errors.Join(err, s.remove(name))
	}
	return nil
}

// remove deletes what may not be there.
func (s *Store) remove(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}

func (s *Store) syncFolder(name string) error {
	folder, err := s.root.Open(name)
	if err != nil {
		return fmt.Errorf("open the folder %s: %w", name, err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("sync the folder %s: %w", name, err)
	}
	return nil
}

// noSpace makes of a full disk what chat knows.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", chat.ErrNoSpace, err)
	}
	return err
}

// place is where the file of an id is. What is no id is nowhere.
func place(folder string, id chat.FileID) (string, error) {
	if !isID(id) {
		return "", chat.ErrNotFound
	}
	return path.Join(folder, string(id[len(id)-2:]), string(id)), nil
}

// isID reports whether id looks like a UUID: then it is safe as the name of a file.
func isID(id chat.FileID) bool {
	if len(id) != 36 {
		return false
	}
	for i, c := range []byte(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func randomName() string {
	bits := make([]byte, 16)
	rand.Read(bits)
	return hex.EncodeToString(bits)
}
