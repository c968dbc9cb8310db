-- The tables of SQLite, and why they are so, are in ../sqlite. What differs here:
-- Ids, names and addresses are compared byte by byte (COLLATE "C"): an index outlives every change of a locale.
-- What a send updates leaves room in its page (fillfactor), and is in no index.
-- A message does not reference its group and its sender: both are read, and the group is locked, before it is written, and
-- neither is ever deleted once it has a message. Checking again would only cost.

-- +goose Up
CREATE TABLE settings (
  name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE users (
  key           BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            TEXT    COLLATE "C" NOT NULL UNIQUE,
  head          BIGINT  NOT NULL,
  rev           BIGINT  NOT NULL,
  nick          TEXT    NOT NULL,
  username      TEXT    COLLATE "C" UNIQUE,
  avatar        TEXT    NOT NULL DEFAULT '',
  guest         BOOLEAN NOT NULL,
  bot           BOOLEAN NOT NULL DEFAULT FALSE,
  admin         BOOLEAN NOT NULL DEFAULT FALSE,
  password      TEXT    NOT NULL DEFAULT '',
  token_version BIGINT  NOT NULL DEFAULT 0,
  disabled_at   BIGINT  NOT NULL DEFAULT 0,
  deleted_at    BIGINT  NOT NULL DEFAULT 0,
  settings      TEXT    NOT NULL DEFAULT '{}',
  created_at    BIGINT  NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE member_names (
  skeleton TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  user_key BIGINT NOT NULL REFERENCES users (key)
);
CREATE INDEX member_names_user ON member_names (user_key);

CREATE TABLE sessions (
  hash       BYTEA  NOT NULL PRIMARY KEY,
  user_key   BIGINT NOT NULL REFERENCES users (key),
  device     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_key);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- There is no index of silent rooms: it would hold head, and each send would write it. They are looked for once a start.
CREATE TABLE groups (
  key          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           TEXT    COLLATE "C" NOT NULL UNIQUE,
  room         TEXT    NOT NULL DEFAULT '',
  room_key     TEXT    COLLATE "C" UNIQUE,
  direct_key   TEXT    COLLATE "C" UNIQUE,
  name         TEXT    NOT NULL,
  topic        TEXT    NOT NULL DEFAULT '',
  avatar       TEXT    NOT NULL DEFAULT '',
  kind         TEXT    NOT NULL,
  visibility   TEXT    NOT NULL,
  joining      TEXT    NOT NULL,
  history      TEXT    NOT NULL,
  announcement TEXT    NOT NULL DEFAULT '',
  slow_mode    BIGINT  NOT NULL DEFAULT 0,
  muted_all    BOOLEAN NOT NULL DEFAULT FALSE,
  member_count BIGINT  NOT NULL DEFAULT 0,
  head         BIGINT  NOT NULL,
  floor        BIGINT  NOT NULL DEFAULT 0,
  rev          BIGINT  NOT NULL,
  counted      BIGINT  NOT NULL DEFAULT 0,
  created_at   BIGINT  NOT NULL,
  dissolved_at BIGINT  NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE memberships (
  group_key   BIGINT  NOT NULL REFERENCES groups (key),
  user_key    BIGINT  NOT NULL REFERENCES users (key),
  rev         BIGINT  NOT NULL,
  role        TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  group_nick  TEXT    NOT NULL DEFAULT '',
  muted_until BIGINT  NOT NULL DEFAULT 0,
  joined_at   BIGINT  NOT NULL,
  user_rev    BIGINT  NOT NULL,
  read_seq    BIGINT  NOT NULL,
  read_count  BIGINT  NOT NULL,
  own_unread  BIGINT  NOT NULL,
  sent_at     BIGINT  NOT NULL DEFAULT 0,
  from_seq    BIGINT  NOT NULL DEFAULT 0,
  notify      TEXT    NOT NULL,
  pinned      BOOLEAN NOT NULL DEFAULT FALSE,
  draft       TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (group_key, user_key)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX memberships_rev ON memberships (group_key, rev);
CREATE INDEX memberships_user ON memberships (user_key, user_rev);

CREATE TABLE messages (
  group_key   BIGINT  NOT NULL,
  seq         BIGINT  NOT NULL,
  rev         BIGINT  NOT NULL,
  id          TEXT    COLLATE "C" NOT NULL,
  user_key    BIGINT,
  nick        TEXT    NOT NULL,
  guest       BOOLEAN NOT NULL,
  kind        TEXT    NOT NULL,
  text        TEXT    NOT NULL,
  client_id   TEXT    COLLATE "C",
  request     BYTEA,
  reply_to    BIGINT  NOT NULL DEFAULT 0,
  system      TEXT    NOT NULL DEFAULT '',
  counted     BIGINT  NOT NULL,
  pinned_at   BIGINT  NOT NULL DEFAULT 0,
  edited_at   BIGINT  NOT NULL DEFAULT 0,
  recalled_at BIGINT  NOT NULL DEFAULT 0,
  sent_at     BIGINT  NOT NULL,
  PRIMARY KEY (group_key, seq)
);
CREATE UNIQUE INDEX messages_client ON messages (user_key, client_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX messages_changed ON messages (group_key, rev) WHERE rev > seq;

-- Each writer of each node names here the transaction it is in: when a connection is cut in the middle of a commit, this
-- says whether it happened.
CREATE TABLE writers (
  id    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  batch BIGINT NOT NULL,
  at    TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 20);

-- +goose Down
DROP TABLE writers;
DROP TABLE messages;
DROP TABLE memberships;
DROP TABLE groups;
DROP TABLE sessions;
DROP TABLE member_names;
DROP TABLE users;
DROP TABLE settings;
