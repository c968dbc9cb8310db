-- What was uploaded. The bytes lie beside the database, under the id.

-- +goose Up
CREATE TABLE files (
  id         TEXT    NOT NULL PRIMARY KEY,
  user_id    TEXT    NOT NULL,             -- who uploaded it; a guest that never spoke has no row
  upload_key TEXT,                         -- what the uploader calls the act: doing it again does nothing
  hash       BLOB    NOT NULL,             -- of the bytes
  name       TEXT    NOT NULL,
  type       TEXT    NOT NULL,             -- as the bytes say
  size       INTEGER NOT NULL,
  width      INTEGER NOT NULL,             -- 0 for what is no picture
  height     INTEGER NOT NULL,
  thumb      INTEGER NOT NULL,             -- there is a small picture of it
  made_at    INTEGER NOT NULL,
  idle_at    INTEGER NOT NULL              -- since when no message carries it, unless one does
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX files_key ON files (user_id, upload_key) WHERE upload_key IS NOT NULL;
CREATE INDEX files_idle ON files (idle_at);

-- Which messages carry a file: who may see one of them may see the file. A message that was emptied counts as none.
CREATE TABLE file_uses (
  file_id   TEXT    NOT NULL,
  group_key INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (file_id, group_key, seq)
) STRICT, WITHOUT ROWID;

-- What each user's files take; in the row of nobody, what all take.
CREATE TABLE file_totals (
  user_id TEXT    NOT NULL PRIMARY KEY,
  bytes   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE file_totals;
DROP TABLE file_uses;
DROP TABLE files;
