package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database in a folder into another, in which there is none, while a server may be running on
// it. The copy is of one moment and has an epoch of its own: where it takes the place of the original, numbers are given
// out that clients may have seen before.
func Backup(ctx context.Context, from, into string) (err error) {
	source := filepath.Join(from, databaseName)
	if _, err := os.Stat(source); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open %s: %w", source, ErrAbsent)
	}
	db, err := connect(ctx, source, "busy_timeout(10000)", "temp_store(MEMORY)", "cache_size(-16384)")
	if err != nil {
		return fmt.Errorf("open %s: %w", source, damage(err))
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	target := filepath.Join(into, databaseName)
	part := target + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove what a backup before left: %w", err)
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, part); err != nil {
		return errors.Join(fmt.Errorf("copy the database: %w", damage(err)), os.Remove(part))
	}
	if err := renew(ctx, part); err != nil {
		return fmt.Errorf("give the copy an epoch: %w", err)
	}
	if err := os.Rename(part, target); err != nil {
		return fmt.Errorf("finish the copy: %w", err)
	}
	return syncFolder(into)
}

// renew gives the database in a file a new epoch, and sees to it that the file is on the disk.
func renew(ctx context.Context, path string) error {
	db, err := connect(ctx, path, "synchronous(FULL)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, sqlNewEpoch, []byte(newName()))
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

const sqlNewEpoch = `UPDATE settings SET value = $1 WHERE name = 'epoch'`

// NewEpoch begins a new history of numbers, from when the store is opened again on: for data that was restored, or
// taken back after it had moved. Clients then forget the numbers they hold, and read anew.
func (s *Store) NewEpoch(ctx context.Context) error {
	err := s.change(ctx, func(t *tx) error {
		_, epoch := t.exec(sqlNewEpoch, []byte(newName()))
		_, moved := t.exec(`DELETE FROM settings WHERE name = $1`, settingMoved)
		return errors.Join(epoch, moved)
	})
	if err != nil {
		return fmt.Errorf("change the epoch: %w", err)
	}
	return nil
}

// syncFolder puts names in a folder on the disk, where the system can do that.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	_ = folder.Sync() // not everywhere a folder can be synced
	return folder.Close()
}
