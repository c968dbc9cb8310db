-- The words of messages by time: the index is made again.

-- +goose Up
TRUNCATE message_words, indexed;
ALTER TABLE message_words ADD COLUMN sent_at BIGINT NOT NULL;
CREATE INDEX message_words_time ON message_words (sent_at, group_key, seq);
CREATE INDEX message_words_group_time ON message_words (group_key, sent_at, seq);

-- +goose Down
DROP INDEX message_words_group_time;
DROP INDEX message_words_time;
ALTER TABLE message_words DROP COLUMN sent_at;
