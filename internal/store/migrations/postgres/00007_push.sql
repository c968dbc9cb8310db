-- The tables of SQLite, and why they are so, are in ../sqlite. What is updated with each delivery leaves room in its page.

-- +goose Up
CREATE TABLE webhooks (
  key           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            TEXT COLLATE "C" NOT NULL UNIQUE,
  group_key     BIGINT NOT NULL REFERENCES groups (key),
  kind          TEXT NOT NULL,
  name          TEXT NOT NULL,
  user_key      BIGINT REFERENCES users (key),
  secret        BYTEA NOT NULL,
  url           TEXT NOT NULL DEFAULT '',
  events        TEXT NOT NULL DEFAULT '',
  made_by       BIGINT NOT NULL REFERENCES users (key),
  created_at    BIGINT NOT NULL,
  head          BIGINT NOT NULL DEFAULT 0,
  tries         BIGINT NOT NULL DEFAULT 0,
  tried_at      BIGINT NOT NULL DEFAULT 0,
  due_at        BIGINT NOT NULL DEFAULT 0,
  told_at       BIGINT NOT NULL DEFAULT 0,
  failing_at    BIGINT NOT NULL DEFAULT 0,
  failure       TEXT NOT NULL DEFAULT '',
  off_at        BIGINT NOT NULL DEFAULT 0,
  claimed_until BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX webhooks_group ON webhooks (group_key);

CREATE TABLE push_subscriptions (
  key           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_key      BIGINT NOT NULL REFERENCES users (key),
  endpoint      TEXT COLLATE "C" NOT NULL UNIQUE,
  p256dh        BYTEA NOT NULL,
  auth          BYTEA NOT NULL,
  session       BYTEA,
  created_at    BIGINT NOT NULL,
  tries         BIGINT NOT NULL DEFAULT 0,
  failing_at    BIGINT NOT NULL DEFAULT 0,
  due_at        BIGINT NOT NULL DEFAULT 0,
  claimed_until BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_key);

CREATE TABLE push_marks (
  subscription_key BIGINT NOT NULL REFERENCES push_subscriptions (key),
  group_key        BIGINT NOT NULL REFERENCES groups (key),
  seq              BIGINT NOT NULL,
  at               BIGINT NOT NULL,
  PRIMARY KEY (subscription_key, group_key)
) WITH (fillfactor = 80);

CREATE TABLE reports (
  key           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_key     BIGINT NOT NULL REFERENCES groups (key),
  seq           BIGINT NOT NULL,
  user_key      BIGINT NOT NULL REFERENCES users (key),
  reason        TEXT NOT NULL,
  author        TEXT COLLATE "C" NOT NULL,
  nick          TEXT NOT NULL,
  text          TEXT NOT NULL,
  created_at    BIGINT NOT NULL,
  resolved_at   BIGINT NOT NULL DEFAULT 0,
  resolved_by   BIGINT REFERENCES users (key),
  UNIQUE (group_key, seq, user_key)
);
CREATE INDEX reports_open ON reports (key) WHERE resolved_at = 0;

-- +goose Down
DROP TABLE reports;
DROP TABLE push_marks;
DROP TABLE push_subscriptions;
DROP TABLE webhooks;
