package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"time"

	"qun/internal/chat"
	"qun/internal/config"
	"qun/internal/files"
	"qun/internal/store"
)

// checkCommand reads all data and says what is wrong with it.
type checkCommand struct {
	config.Storage
}

// Run prints a report; damage is an error.
func (c *checkCommand) Run(ctx context.Context, m Machine) (err error) {
	began := time.Now()
	a, err := openArchive(ctx, &c.Storage)
	if err != nil {
		return err
	}
	defer a.Close()
	report, err := a.Check(ctx)
	if err != nil {
		return explainArchive(&c.Storage, err)
	}
	if err := c.checkFiles(ctx, a, report, began); err != nil {
		return fmt.Errorf("check the files: %w", err)
	}
	return tell(m.Stdout, report)
}

// The damages of files.
const (
	lostBytes    = "bytes of a file that was uploaded are not there"
	wrongBytes   = "bytes of a file are not what was uploaded"
	lostPicture  = "the picture of a user or a group is not there"
	restoreFile  = "bring it back from a backup, or recall the messages that carry it"
	givePicture  = "bring it back from a backup, or choose another picture"
	maxUnclaimed = 24 * time.Hour // for so long the server leaves bytes alone to which no row leads
)

// fileCheck compares what is in the folder of files with what the data says.
type fileCheck struct {
	*store.Report
	folder string
	kept   *files.Store
	lost   []chat.FileID
	known  map[chat.FileID]bool
}

func (c *checkCommand) checkFiles(ctx context.Context, a *store.Archive, report *store.Report, began time.Time) error {
	f := fileCheck{Report: report, folder: filepath.Join(c.Data, filesFolder), known: map[chat.FileID]bool{}}
	kept, err := files.Look(f.folder)
	switch {
	case err == nil:
		defer kept.Close()
		f.kept = kept
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := a.Uploads(ctx, f.compare); err != nil {
		return err
	}
	if err := f.findPictures(ctx, a); err != nil {
		return err
	}
	if err := f.stillKnown(ctx, &c.Storage); err != nil {
		return err
	}
	return f.findUnclaimed(began)
}

// compare compares one upload with its bytes.
func (f *fileCheck) compare(u *chat.Upload) error {
	f.known[u.ID] = true
	if f.kept == nil {
		f.lost = append(f.lost, u.ID)
		return nil
	}
	wrong, err := f.kept.Compare(u)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		f.lost = append(f.lost, u.ID)
		return nil
	case err != nil:
		wrong = fmt.Sprintf("it cannot be read: %v", err)
	}
	if wrong != "" {
		f.Find(wrongBytes, fmt.Sprintf("file %s: %s", u.ID, wrong), restoreFile)
	}
	return nil
}

// stillKnown complains about bytes that are not there, unless a server that runs has just deleted them, row and all.
func (f *fileCheck) stillKnown(ctx context.Context, at *config.Storage) error {
	if len(f.lost) == 0 {
		return nil
	}
	now, err := openArchive(ctx, at)
	if err != nil {
		return err
	}
	defer now.Close()
	return now.View(ctx, func(r chat.Reader) error {
		for _, id := range f.lost {
			switch _, err := r.Upload(id); {
			case err == nil:
				f.Find(lostBytes, fmt.Sprintf("file %s, in %s", id, f.folder), restoreFile)
			case !errors.Is(err, chat.ErrNotFound):
				return err
			}
		}
		return nil
	})
}

// findPictures looks for the pictures that users and groups bear.
func (f *fileCheck) findPictures(ctx context.Context, a *store.Archive) error {
	return a.View(ctx, func(r chat.Reader) error {
		paths, err := r.AvatarsInUse()
		for _, p := range paths {
			if !f.hasPicture(chat.FileID(path.Base(p))) {
				f.Find(lostPicture, fmt.Sprintf("%s, in %s", p, f.folder), givePicture)
			}
		}
		return err
	})
}

func (f *fileCheck) hasPicture(id chat.FileID) bool {
	if f.kept == nil {
		return false
	}
	picture, err := f.kept.OpenAvatar(id)
	return err == nil && picture.Close() == nil
}

// findUnclaimed notes bytes to which no row leads. A crash may leave them, and an upload that is on its way: that is no
// damage, and the server deletes them a day later.
func (f *fileCheck) findUnclaimed(began time.Time) error {
	if f.kept == nil {
		return nil
	}
	ids, err := f.kept.Kept(began)
	if err != nil {
		return err
	}
	n := 0
	for _, id := range ids {
		if !f.known[id] {
			n++
		}
	}
	if n > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("to %d files in %s nothing leads: the server deletes such files %.0f hours after they were written",
			n, f.folder, maxUnclaimed.Hours()))
	}
	return nil
}

func tell(out io.Writer, r *store.Report) error {
	fmt.Fprintf(out, "Read %d users, %d groups, %d messages.\n", r.Users, r.Groups, r.Messages)
	for _, note := range r.Notes {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "Wrong: %s (%d).\n", f.What, f.Count)
		for _, where := range f.Examples {
			fmt.Fprintf(out, "  %s\n", where)
		}
		if more := f.Count - len(f.Examples); more > 0 {
			fmt.Fprintf(out, "  and %d more\n", more)
		}
		fmt.Fprintf(out, "  What to do: %s.\n", f.Remedy)
	}
	if len(r.Findings) > 0 {
		return errors.New("the data is not whole: do what stands above")
	}
	fmt.Fprintln(out, "All is well.")
	return nil
}
