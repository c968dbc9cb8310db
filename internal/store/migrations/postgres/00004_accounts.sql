-- +goose Up
ALTER TABLE users ADD COLUMN settings_rev BIGINT NOT NULL DEFAULT 0; -- of the user's counter: when the settings last changed
ALTER TABLE users ADD COLUMN owner_key BIGINT REFERENCES users (key); -- of a bot: who made it
CREATE INDEX users_owner ON users (owner_key) WHERE owner_key IS NOT NULL;

-- What groups still have to be told of a user; each is told, and its row deleted, in a transaction of its own. It does not
-- reference the group: whoever writes it waits for no group.
CREATE TABLE untold (
  user_key  BIGINT NOT NULL REFERENCES users (key),
  group_key BIGINT NOT NULL,
  news      TEXT    NOT NULL,            -- renamed, parted, erased
  upto      BIGINT NOT NULL DEFAULT 0,  -- messages up to this seq are done
  PRIMARY KEY (user_key, group_key)
);

-- Links and codes that let somebody in once.
CREATE TABLE tickets (
  hash       BYTEA   NOT NULL PRIMARY KEY,   -- of the code; the code is nowhere
  kind       TEXT    NOT NULL,
  user_id    TEXT    COLLATE "C" NOT NULL DEFAULT '',    -- whom it lets in; guests have no row
  data       BYTEA   NOT NULL DEFAULT '',
  uses       BIGINT NOT NULL,               -- left
  created_by TEXT    NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX tickets_kind ON tickets (kind, user_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE bot_tokens (
  hash       BYTEA   NOT NULL PRIMARY KEY,
  user_key   BIGINT NOT NULL UNIQUE REFERENCES users (key),
  scopes     TEXT    NOT NULL,               -- with blanks between them
  created_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE bot_tokens;
DROP TABLE tickets;
DROP TABLE untold;
DROP INDEX users_owner;
ALTER TABLE users DROP COLUMN owner_key;
ALTER TABLE users DROP COLUMN settings_rev;
