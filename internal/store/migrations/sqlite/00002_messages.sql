-- What a message carries beside its text. It is read with the message and never asked for by itself: JSON, '' for nothing.

-- +goose Up
ALTER TABLE messages ADD COLUMN mentions TEXT NOT NULL DEFAULT ''; -- user ids, or "all"
ALTER TABLE messages ADD COLUMN files    TEXT NOT NULL DEFAULT ''; -- files as everybody sees them

-- +goose Down
ALTER TABLE messages DROP COLUMN files;
ALTER TABLE messages DROP COLUMN mentions;
