-- +goose Up
ALTER TABLE users ADD COLUMN settings_rev BIGINT NOT NULL DEFAULT 0; -- of the user's counter: when the settings last changed

-- +goose Down
ALTER TABLE users DROP COLUMN settings_rev;
