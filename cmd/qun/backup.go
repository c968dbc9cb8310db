package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"qun/internal/config"
	"qun/internal/store"
)

// filesFolder is where uploads are, in the data folder.
const filesFolder = "files"

// backupCommand copies the data while the server goes on.
type backupCommand struct {
	config.Storage
	Into string `arg:"" placeholder:"FOLDER" help:"A folder that is empty, or not there yet."`
}

// Run copies the database, of one moment, and then the files: what the database knows of is among them.
func (c *backupCommand) Run(ctx context.Context, m Machine) error {
	if err := c.Check(); err != nil {
		return err
	}
	if c.Database != "" {
		return fmt.Errorf("--database: back PostgreSQL up with its own tools (pg_dump), and the folder %s with it; after a restore run qun migrate --restored",
			filepath.Join(c.Data, filesFolder))
	}
	if err := newFolder("backup", c.Into); err != nil {
		return err
	}
	if err := store.Backup(ctx, c.Data, c.Into); err != nil {
		return explainArchive(&c.Storage, err)
	}
	if err := copyTree(ctx, filepath.Join(c.Data, filesFolder), filepath.Join(c.Into, filesFolder)); err != nil {
		return fmt.Errorf("copy the files: %w", err)
	}
	fmt.Fprintf(m.Stdout, "The backup is in %s. qun restore %s brings it back.\n", c.Into, c.Into)
	return nil
}

// restoreCommand brings a backup back.
type restoreCommand struct {
	config.Storage
	From string `arg:"" placeholder:"FOLDER" help:"What qun backup wrote."`
}

// Run copies a backup into a data folder without data, and begins a new history of numbers there.
func (c *restoreCommand) Run(ctx context.Context, m Machine) error {
	if err := c.Check(); err != nil {
		return err
	}
	if c.Database != "" {
		return errors.New("--database: restore PostgreSQL with its own tools (pg_restore), then run qun migrate --restored")
	}
	folder, err := dataFolder(c.Data)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, "qun.db")); err == nil {
		return fmt.Errorf("the folder %s holds a chat already: move it away first, or choose another with --data", folder)
	}
	if err := store.Backup(ctx, c.From, folder); err != nil {
		return explainArchive(&config.Storage{Data: c.From}, err)
	}
	if err := copyTree(ctx, filepath.Join(c.From, filesFolder), filepath.Join(folder, filesFolder)); err != nil {
		return fmt.Errorf("copy the files: %w", err)
	}
	fmt.Fprintf(m.Stdout, "The chat is in %s again. Clients read anew what they have of it.\n", folder)
	return nil
}

// newFolder makes a folder, unless there is something in it.
func newFolder(of, name string) error {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	inside, err := os.ReadDir(name)
	if err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	if len(inside) > 0 {
		return fmt.Errorf("%s: the folder %s is not empty: name another", of, name)
	}
	return nil
}

// copyTree copies a folder with all in it; one that is not there has nothing in it. What goes meanwhile is passed over.
func copyTree(ctx context.Context, from, into string) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(into, below), 0o700)
		}
		return copyFile(name, filepath.Join(into, below))
	})
}

func copyFile(name, to string) error {
	from, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	return copyTo(to, from)
}

// copyTo writes a new file, and sees to it that it is on the disk. One that is there stays as it is.
func copyTo(name string, from io.Reader) error {
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Sync(), to.Close())
}
