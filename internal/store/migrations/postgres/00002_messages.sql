-- What these are, and why they are so, is in ../sqlite.

-- +goose Up
ALTER TABLE messages ADD COLUMN mentions TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN files    TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN files;
ALTER TABLE messages DROP COLUMN mentions;
