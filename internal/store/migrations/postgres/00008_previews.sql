-- What the page behind a message's first link says of itself, and which links wait to be looked at. A link is written
-- with its message; a row stays only until it was looked at.

-- +goose Up
ALTER TABLE messages ADD COLUMN preview TEXT NOT NULL DEFAULT ''; -- JSON

CREATE TABLE links (
  group_key     BIGINT NOT NULL REFERENCES groups (key),
  seq           BIGINT NOT NULL,            -- the message
  url           TEXT NOT NULL,
  asked_at      BIGINT NOT NULL,
  tries         INTEGER NOT NULL DEFAULT 0,
  claimed_until BIGINT NOT NULL DEFAULT 0,  -- one node is at it
  PRIMARY KEY (group_key, seq)
) WITH (fillfactor = 80);

-- +goose Down
DROP TABLE links;
ALTER TABLE messages DROP COLUMN preview;
