-- What messages carry beside their text, and what is done to them. Columns are read with the message and never asked for
-- by themselves: JSON, '' for nothing. Rows here have no rev: they are deleted, and the message's rev tells it.

-- +goose Up
ALTER TABLE messages ADD COLUMN mentions  TEXT NOT NULL DEFAULT ''; -- user ids, or "all"
ALTER TABLE messages ADD COLUMN files     TEXT NOT NULL DEFAULT ''; -- files as everybody sees them
ALTER TABLE messages ADD COLUMN reactions TEXT NOT NULL DEFAULT ''; -- each emoji with its count and who came first
CREATE INDEX messages_pinned ON messages (group_key, pinned_at) WHERE pinned_at > 0;

-- Who is mentioned where. Everybody is one row, of user 0.
CREATE TABLE mentions (
  group_key INTEGER NOT NULL,
  user_key  INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  by_key    INTEGER NOT NULL,                -- the sender, who is not mentioned by it
  PRIMARY KEY (group_key, user_key, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
  group_key INTEGER NOT NULL,
  user_key  INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  emoji     TEXT    NOT NULL,
  rev       INTEGER NOT NULL,                -- of the group's counter: who came first
  PRIMARY KEY (group_key, user_key, seq, emoji)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_first ON reactions (group_key, seq, emoji, rev);

-- What a member's name in a group looks like: nobody else there may bear or imitate it.
ALTER TABLE memberships ADD COLUMN nick_key TEXT NOT NULL DEFAULT '';
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
