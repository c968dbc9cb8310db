-- +goose Up
ALTER TABLE users ADD COLUMN settings_rev INTEGER NOT NULL DEFAULT 0; -- of the user's counter: when the settings last changed
ALTER TABLE users ADD COLUMN owner_key INTEGER REFERENCES users (key); -- of a bot: who made it
CREATE INDEX users_owner ON users (owner_key) WHERE owner_key IS NOT NULL;

-- What groups still have to be told of a user; each is told, and its row deleted, in a transaction of its own.
CREATE TABLE untold (
  user_key  INTEGER NOT NULL REFERENCES users (key),
  group_key INTEGER NOT NULL,
  news      TEXT    NOT NULL,            -- renamed, parted, erased
  upto      INTEGER NOT NULL DEFAULT 0,  -- messages up to this seq are done
  PRIMARY KEY (user_key, group_key)
) STRICT, WITHOUT ROWID;

-- Links and codes that let somebody in once.
CREATE TABLE tickets (
  hash       BLOB    NOT NULL PRIMARY KEY,   -- of the code; the code is nowhere
  kind       TEXT    NOT NULL,
  user_id    TEXT    NOT NULL DEFAULT '',    -- whom it lets in; guests have no row
  data       BLOB    NOT NULL DEFAULT x'',
  uses       INTEGER NOT NULL,               -- left
  created_by TEXT    NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_kind ON tickets (kind, user_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE bot_tokens (
  hash       BLOB    NOT NULL PRIMARY KEY,
  user_key   INTEGER NOT NULL UNIQUE REFERENCES users (key),
  scopes     TEXT    NOT NULL,               -- with blanks between them
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE bot_tokens;
DROP TABLE tickets;
DROP TABLE untold;
DROP INDEX users_owner;
ALTER TABLE users DROP COLUMN owner_key;
ALTER TABLE users DROP COLUMN settings_rev;
