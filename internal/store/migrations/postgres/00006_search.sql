-- +goose Up
ALTER TABLE groups ADD COLUMN retention BIGINT NOT NULL DEFAULT 0;

-- How far each group is in the search index: messages up to rev are in it, those below floor are not.
CREATE TABLE indexed (
  group_key BIGINT NOT NULL PRIMARY KEY,
  rev       BIGINT NOT NULL,
  floor     BIGINT NOT NULL
) WITH (fillfactor = 50);

-- The words of messages, as the program cuts them: no configuration of the server's has a say.
CREATE TABLE message_words (
  group_key BIGINT   NOT NULL,
  seq       BIGINT   NOT NULL,
  words     TSVECTOR NOT NULL,
  PRIMARY KEY (group_key, seq)
);
CREATE INDEX message_words_words ON message_words USING gin (words);

-- +goose Down
DROP TABLE message_words;
DROP TABLE indexed;
ALTER TABLE groups DROP COLUMN retention;
