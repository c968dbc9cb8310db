-- What these are, and why they are so, is in ../sqlite.

-- +goose Up
CREATE TABLE files (
  id         TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  user_id    TEXT    COLLATE "C" NOT NULL,
  upload_key TEXT    COLLATE "C",
  hash       BYTEA   NOT NULL,
  name       TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  size       BIGINT  NOT NULL,
  width      BIGINT  NOT NULL,
  height     BIGINT  NOT NULL,
  thumb      BOOLEAN NOT NULL,
  made_at    BIGINT  NOT NULL,
  idle_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX files_key ON files (user_id, upload_key) WHERE upload_key IS NOT NULL;
CREATE INDEX files_idle ON files (idle_at);

CREATE TABLE file_uses (
  file_id   TEXT   COLLATE "C" NOT NULL,
  group_key BIGINT NOT NULL,
  seq       BIGINT NOT NULL,
  PRIMARY KEY (file_id, group_key, seq)
);

CREATE TABLE file_totals (
  user_id TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  bytes   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE file_totals;
DROP TABLE file_uses;
DROP TABLE files;
