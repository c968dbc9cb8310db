-- Of PostgreSQL alone: here the search index is a file of its own.

-- +goose Up
SELECT 1;

-- +goose Down
SELECT 1;
