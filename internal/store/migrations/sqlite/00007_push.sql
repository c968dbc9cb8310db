-- What is told outside: webhooks, browsers' push subscriptions; and what members report.
-- There is no table of what is still to be told: messages and members are that already, in the order of their rev. Who is
-- told keeps how far it has come, and a send writes nothing for it.

-- +goose Up
CREATE TABLE webhooks (
  key           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  group_key     INTEGER NOT NULL REFERENCES groups (key),
  kind          TEXT    NOT NULL,            -- incoming, outgoing
  name          TEXT    NOT NULL,
  user_key      INTEGER REFERENCES users (key), -- incoming: whose messages they are
  secret        BLOB    NOT NULL,            -- incoming: a hash of it; outgoing: itself, for it signs
  url           TEXT    NOT NULL DEFAULT '', -- outgoing
  events        TEXT    NOT NULL DEFAULT '', -- outgoing: which, with spaces between
  made_by       INTEGER NOT NULL REFERENCES users (key),
  created_at    INTEGER NOT NULL,
  -- how far an outgoing one has come
  head          INTEGER NOT NULL DEFAULT 0,  -- of the group's counter: up to here all is told, or given up
  tries         INTEGER NOT NULL DEFAULT 0,  -- of what comes next
  tried_at      INTEGER NOT NULL DEFAULT 0,  -- when that was tried first
  due_at        INTEGER NOT NULL DEFAULT 0,  -- not to be tried earlier
  told_at       INTEGER NOT NULL DEFAULT 0,  -- when something was taken last
  failing_at    INTEGER NOT NULL DEFAULT 0,  -- since when nothing was taken
  failure       TEXT    NOT NULL DEFAULT '', -- the last one
  off_at        INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER NOT NULL DEFAULT 0   -- one node is at it
) STRICT;
CREATE INDEX webhooks_group ON webhooks (group_key);

CREATE TABLE push_subscriptions (
  key           INTEGER PRIMARY KEY,
  user_key      INTEGER NOT NULL REFERENCES users (key),
  endpoint      TEXT    NOT NULL UNIQUE,
  p256dh        BLOB    NOT NULL,            -- the browser's public key
  auth          BLOB    NOT NULL,            -- what browser and server share
  session       BLOB,                        -- hash of the device's session: without it nothing is sent
  created_at    INTEGER NOT NULL,
  tries         INTEGER NOT NULL DEFAULT 0,
  failing_at    INTEGER NOT NULL DEFAULT 0,
  due_at        INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_key);

-- What a device was told of a group last.
CREATE TABLE push_marks (
  subscription_key INTEGER NOT NULL REFERENCES push_subscriptions (key),
  group_key        INTEGER NOT NULL REFERENCES groups (key),
  seq              INTEGER NOT NULL,
  at               INTEGER NOT NULL,
  PRIMARY KEY (subscription_key, group_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
  key         INTEGER PRIMARY KEY,
  group_key   INTEGER NOT NULL REFERENCES groups (key),
  seq         INTEGER NOT NULL,              -- the message
  user_key    INTEGER NOT NULL REFERENCES users (key), -- who reports
  reason      TEXT    NOT NULL,
  author      TEXT    NOT NULL,              -- the id of who said it
  nick        TEXT    NOT NULL,
  text        TEXT    NOT NULL,              -- as it was then; '' once resolved
  created_at  INTEGER NOT NULL,
  resolved_at INTEGER NOT NULL DEFAULT 0,
  resolved_by INTEGER REFERENCES users (key),
  UNIQUE (group_key, seq, user_key)
) STRICT;
CREATE INDEX reports_open ON reports (key) WHERE resolved_at = 0;

-- +goose Down
DROP TABLE reports;
DROP TABLE push_marks;
DROP TABLE push_subscriptions;
DROP TABLE webhooks;
