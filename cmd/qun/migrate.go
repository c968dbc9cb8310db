package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"qun/internal/config"
	"qun/internal/store"
)

// migrateCommand brings the tables up to date without serving, or moves them into a database server.
type migrateCommand struct {
	config.Storage
	Restored bool   `help:"Say that the data comes out of a backup, or is taken back after it had moved: numbers given out before mean nothing any more, and clients read anew."`
	From     string `placeholder:"sqlite:FOLDER" and:"move" help:"Move the chat in this data folder into the database of --to. A server may run on the folder: it shows what there is, takes nothing new, and is to be stopped when this command says so."`
	To       string `placeholder:"URL" and:"move" help:"The empty PostgreSQL database to move into: postgres://user:password@host/name. Better said by the variable, where other users of the machine do not see the password."`
}

// Run does the one or the other.
func (c *migrateCommand) Run(ctx context.Context, m Machine) error {
	if c.From == "" {
		return c.update(ctx, m.Stdout)
	}
	if c.Restored {
		return errors.New("--restored and --from exclude each other: what moves keeps its numbers")
	}
	folder, err := sourceFolder(c.From)
	if err != nil {
		return err
	}
	err = move(ctx, folder, c.To, m.Stdout)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("stopped before the end: nothing has moved, and the folder is served as before")
	}
	return err
}

// update opens the data, which brings it up to date, and closes it.
func (c *migrateCommand) update(ctx context.Context, out io.Writer) (err error) {
	if err := c.Check(); err != nil {
		return err
	}
	data, err := openData(ctx, store.Config{Dir: c.Data, URL: c.Database, Moved: c.Restored})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	if c.Restored {
		if err := data.NewEpoch(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "The data is up to date.")
	return nil
}

// sourceFolder is the folder that --from names, by itself or by the file in it.
func sourceFolder(from string) (string, error) {
	path, ok := strings.CutPrefix(from, "sqlite:")
	if !ok || path == "" {
		return "", errors.New("--from: a data folder is needed, for example sqlite:/var/lib/qun; nothing else can be moved")
	}
	path = strings.TrimPrefix(path, "//")
	if filepath.Ext(path) == ".db" {
		path = filepath.Dir(path)
	}
	return path, nil
}

func move(ctx context.Context, folder, url string, out io.Writer) (err error) {
	if err := (&config.Storage{Data: folder, Database: url}).Check(); err != nil {
		return fmt.Errorf("--to: an address of PostgreSQL is needed, for example postgres://qun@localhost/qun")
	}
	m, err := store.StartMove(ctx, folder)
	if err != nil {
		return explainArchive(&config.Storage{Data: folder}, err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	fmt.Fprintf(out, "Copying the chat in %s. It can be read meanwhile, and takes nothing new.\n", folder)
	err = m.Copy(ctx, url, func(table string, rows int64) {
		fmt.Fprintf(out, "  %-18s %9d rows, copied and compared\n", table, rows)
	})
	if err != nil {
		return explainCopy(err)
	}
	err = m.Finish(ctx, func() {
		fmt.Fprintf(out, "All is copied. Now stop the server that runs on %s; the move ends with it.\n", folder)
	})
	if err != nil {
		return explainCopy(err)
	}
	fmt.Fprintf(out, "The chat has moved: start the server with --database, and with --data %s, where the uploaded files stay.\n", folder)
	return nil
}

// explainCopy says what to do about the database that is moved into. But for store.ErrUnknown it was left as empty as it was.
func explainCopy(err error) error {
	switch {
	case errors.Is(err, store.ErrUnknown):
		return fmt.Errorf("--to: the connection ended with the last word: %w: when the server can be reached, look with qun check --database: if the chat is there, it has moved, and the folder must not be served again; if the database is empty, move once more", err)
	case errors.Is(err, store.ErrOccupied):
		return fmt.Errorf("--to: %w: name an empty database (createdb makes one, and so does DROP SCHEMA public CASCADE; CREATE SCHEMA public, which deletes what is there)", err)
	case errors.Is(err, store.ErrCopy):
		return fmt.Errorf("--to: nothing has moved: %w: look at both with qun check, and at triggers in the database", err)
	}
	return explainDatabase("--to", err)
}
