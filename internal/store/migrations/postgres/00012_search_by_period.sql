-- The search index by periods of time: it is made again.

-- +goose Up
DROP TABLE message_words;
TRUNCATE indexed;

-- All time is parted in periods, each from start on until the next one's, of some thousands of messages. The latest one
-- grows: messages says how many were put into it, last when the latest of them was sent.
CREATE TABLE periods (
  number   BIGINT NOT NULL PRIMARY KEY,
  start    BIGINT NOT NULL UNIQUE,
  messages BIGINT NOT NULL,
  last     BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Each of a message's terms is a word, as the program cuts them, behind the number of its period: so what is asked of a
-- period is together in the index, and how frequent a word is elsewhere costs nothing. A list of what is not sorted in
-- yet would be gone through for each period.
CREATE TABLE message_words (
  group_key BIGINT   NOT NULL,
  seq       BIGINT   NOT NULL,
  sent_at   BIGINT   NOT NULL,
  terms     TSVECTOR NOT NULL,
  PRIMARY KEY (group_key, seq)
);
CREATE INDEX message_words_terms ON message_words USING gin (terms) WITH (fastupdate = off);

-- +goose Down
DROP TABLE message_words;
DROP TABLE periods;
TRUNCATE indexed;
CREATE TABLE message_words (
  group_key BIGINT   NOT NULL,
  seq       BIGINT   NOT NULL,
  words     TSVECTOR NOT NULL,
  sent_at   BIGINT   NOT NULL,
  PRIMARY KEY (group_key, seq)
);
CREATE INDEX message_words_words ON message_words USING gin (words);
CREATE INDEX message_words_time ON message_words (sent_at, group_key, seq);
CREATE INDEX message_words_group_time ON message_words (group_key, sent_at, seq);
