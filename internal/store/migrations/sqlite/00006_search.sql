-- The search index itself is a file of its own: see sqlite_index.go.

-- +goose Up
ALTER TABLE groups ADD COLUMN retention INTEGER NOT NULL DEFAULT 0; -- days that messages are kept; 0: as the server says

-- +goose Down
ALTER TABLE groups DROP COLUMN retention;
