-- What these are, and why they are so, is in ../sqlite.

-- +goose Up
ALTER TABLE messages ADD COLUMN mentions  TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN files     TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN reactions TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_pinned ON messages (group_key, pinned_at) WHERE pinned_at > 0;

CREATE TABLE mentions (
  group_key BIGINT NOT NULL,
  user_key  BIGINT NOT NULL,
  seq       BIGINT NOT NULL,
  by_key    BIGINT NOT NULL,
  PRIMARY KEY (group_key, user_key, seq)
);

CREATE TABLE reactions (
  group_key BIGINT NOT NULL,
  user_key  BIGINT NOT NULL,
  seq       BIGINT NOT NULL,
  emoji     TEXT   COLLATE "C" NOT NULL,
  rev       BIGINT NOT NULL,
  PRIMARY KEY (group_key, user_key, seq, emoji)
);
CREATE INDEX reactions_first ON reactions (group_key, seq, emoji, rev);

ALTER TABLE memberships ADD COLUMN nick_key TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX memberships_nick ON memberships (group_key, nick_key) WHERE nick_key <> '';

-- +goose Down
DROP INDEX memberships_nick;
ALTER TABLE memberships DROP COLUMN nick_key;
DROP TABLE reactions;
DROP TABLE mentions;
DROP INDEX messages_pinned;
ALTER TABLE messages DROP COLUMN reactions;
ALTER TABLE messages DROP COLUMN files;
ALTER TABLE messages DROP COLUMN mentions;
