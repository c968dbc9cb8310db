package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"qun/internal/chat"
	"qun/internal/config"
	"qun/internal/files"
)

// exportCommand writes what there is as JSON Lines.
type exportCommand struct {
	config.Storage
	Group string `placeholder:"ID" xor:"what" help:"One group, by its id."`
	User  string `placeholder:"ID" xor:"what" help:"What there is of one user, by its id."`
	Out   string `placeholder:"FOLDER" help:"Write into this folder, with the files that messages carry; else the lines are printed, without files."`
}

// Run writes the export.
func (c *exportCommand) Run(ctx context.Context, m Machine) error {
	a, err := openArchive(ctx, &c.Storage)
	if err != nil {
		return err
	}
	defer a.Close()
	epoch, err := a.Epoch(ctx)
	if err != nil {
		return explainArchive(&c.Storage, err)
	}
	write := func(to io.Writer, carried func(chat.File) error) error {
		buffered := bufio.NewWriter(to)
		what := chat.Export{Group: chat.GroupID(c.Group), User: chat.UserID(c.User)}
		err := a.View(ctx, func(r chat.Reader) error {
			return what.Write(r, epoch, chat.TimeOf(time.Now()), buffered, carried)
		})
		return errors.Join(err, buffered.Flush())
	}
	if c.Out == "" {
		err = write(m.Stdout, nil)
	} else {
		err = c.into(write)
	}
	if errors.Is(err, chat.ErrNotFound) {
		return fmt.Errorf("there is no such group or user: ids are in the addresses of groups, and in qun export without --group and --user")
	}
	return err
}

// into writes an export and its files into a new folder.
func (c *exportCommand) into(write func(io.Writer, func(chat.File) error) error) (err error) {
	if err := newFolder("--out", c.Out); err != nil {
		return err
	}
	kept, err := files.Open(files.Config{Dir: filepath.Join(c.Data, filesFolder)})
	if err != nil {
		return explainData(c.Data, err)
	}
	defer kept.Close()
	list, err := os.OpenFile(filepath.Join(c.Out, "export.jsonl"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() { err = errors.Join(err, list.Close()) }()
	return write(list, func(f chat.File) error { return exportFile(kept, f, filepath.Join(c.Out, "files")) })
}

// exportFile copies a file under its id; its name is in the line that tells of it, and may be anything. One that is gone
// is passed over: its message says so.
func exportFile(kept *files.Store, f chat.File, into string) error {
	from, err := kept.Open(f.ID)
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	if err := os.MkdirAll(into, 0o700); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return copyTo(filepath.Join(into, string(f.ID)), from)
}
