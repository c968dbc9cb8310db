-- Times are milliseconds since 1970, UTC. Keys are small and stay inside; ids are what the world sees.
-- Nothing with a rev is deleted: it takes a state.

-- +goose Up
CREATE TABLE settings (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  key           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  head          INTEGER NOT NULL,            -- the user's own counter
  rev           INTEGER NOT NULL,            -- of that counter: when this row last changed
  nick          TEXT    NOT NULL,
  username      TEXT    UNIQUE,              -- folded; NULL for guests
  avatar        TEXT    NOT NULL DEFAULT '',
  guest         INTEGER NOT NULL,
  bot           INTEGER NOT NULL DEFAULT 0,
  admin         INTEGER NOT NULL DEFAULT 0,
  password      TEXT    NOT NULL DEFAULT '', -- hashed; '' for who cannot sign in by one
  token_version INTEGER NOT NULL DEFAULT 0,  -- raised, it revokes all of a guest's tokens
  disabled_at   INTEGER NOT NULL DEFAULT 0,
  deleted_at    INTEGER NOT NULL DEFAULT 0,
  settings      TEXT    NOT NULL DEFAULT '{}',
  created_at    INTEGER NOT NULL
) STRICT;

-- What members are called, by what it looks like: nobody else may bear or imitate it.
CREATE TABLE member_names (
  skeleton TEXT    NOT NULL PRIMARY KEY,
  user_key INTEGER NOT NULL REFERENCES users (key)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_names_user ON member_names (user_key);

CREATE TABLE sessions (
  hash       BLOB    NOT NULL PRIMARY KEY,   -- of the token; the token is nowhere
  user_key   INTEGER NOT NULL REFERENCES users (key),
  device     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_key);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE groups (
  key          INTEGER PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  room         TEXT    NOT NULL DEFAULT '',  -- the address as first written; '' for none
  room_key     TEXT    UNIQUE,               -- the address as it is looked up
  direct_key   TEXT    UNIQUE,               -- the two users of a direct group, in order
  name         TEXT    NOT NULL,
  topic        TEXT    NOT NULL DEFAULT '',
  avatar       TEXT    NOT NULL DEFAULT '',
  kind         TEXT    NOT NULL,
  visibility   TEXT    NOT NULL,
  joining      TEXT    NOT NULL,
  history      TEXT    NOT NULL,
  announcement TEXT    NOT NULL DEFAULT '',
  slow_mode    INTEGER NOT NULL DEFAULT 0,   -- seconds
  muted_all    INTEGER NOT NULL DEFAULT 0,
  member_count INTEGER NOT NULL DEFAULT 0,
  head         INTEGER NOT NULL,             -- the group's counter
  floor        INTEGER NOT NULL DEFAULT 0,   -- rows with a lower seq may be gone
  rev          INTEGER NOT NULL,             -- when what is said here, counters aside, last changed
  counted      INTEGER NOT NULL DEFAULT 0,   -- countable messages so far
  created_at   INTEGER NOT NULL,
  dissolved_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX groups_silent ON groups (created_at) WHERE head = 1;

CREATE TABLE memberships (
  group_key   INTEGER NOT NULL REFERENCES groups (key),
  user_key    INTEGER NOT NULL REFERENCES users (key),
  rev         INTEGER NOT NULL,              -- of the group's counter: when what the group sees last changed
  role        TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  group_nick  TEXT    NOT NULL DEFAULT '',
  muted_until INTEGER NOT NULL DEFAULT 0,
  joined_at   INTEGER NOT NULL,
  -- what only the user itself may see
  user_rev    INTEGER NOT NULL,              -- of the user's counter: when anything of this last changed
  read_seq    INTEGER NOT NULL,              -- everything up to here is read
  read_count  INTEGER NOT NULL,              -- the group's count there
  own_unread  INTEGER NOT NULL,              -- own countable messages after it
  sent_at     INTEGER NOT NULL DEFAULT 0,    -- the newest own message
  from_seq    INTEGER NOT NULL DEFAULT 0,    -- where history begins for who joined later
  notify      TEXT    NOT NULL,
  pinned      INTEGER NOT NULL DEFAULT 0,
  draft       TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (group_key, user_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_rev ON memberships (group_key, rev);
CREATE INDEX memberships_user ON memberships (user_key, user_rev);

-- A message lies beside its neighbours: history is a range of the table itself.
CREATE TABLE messages (
  group_key   INTEGER NOT NULL REFERENCES groups (key),
  seq         INTEGER NOT NULL,              -- its address, for ever
  rev         INTEGER NOT NULL,              -- when it last changed
  id          TEXT    NOT NULL,
  user_key    INTEGER REFERENCES users (key),-- NULL: the server itself
  nick        TEXT    NOT NULL,              -- at the time of sending
  guest       INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  text        TEXT    NOT NULL,
  client_id   TEXT,
  request     BLOB,                          -- hash of what was asked under client_id
  reply_to    INTEGER NOT NULL DEFAULT 0,
  system      TEXT    NOT NULL DEFAULT '',   -- JSON of a system line
  counted     INTEGER NOT NULL,              -- the group's count with this message
  pinned_at   INTEGER NOT NULL DEFAULT 0,
  edited_at   INTEGER NOT NULL DEFAULT 0,
  recalled_at INTEGER NOT NULL DEFAULT 0,
  sent_at     INTEGER NOT NULL,
  PRIMARY KEY (group_key, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_client ON messages (user_key, client_id) WHERE client_id IS NOT NULL;
-- Most messages never change: those that did are few, and are found by rev; the others by seq, which is their rev.
CREATE UNIQUE INDEX messages_changed ON messages (group_key, rev) WHERE rev > seq;

-- +goose Down
DROP TABLE messages;
DROP TABLE memberships;
DROP TABLE groups;
DROP TABLE sessions;
DROP TABLE member_names;
DROP TABLE users;
DROP TABLE settings;
