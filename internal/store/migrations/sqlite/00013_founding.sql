-- Under which clientId a group was made, and of what request: asked again, it is not made again.

-- +goose Up
ALTER TABLE groups ADD COLUMN made_by INTEGER REFERENCES users (key);  -- NULL, as the others: it came without a clientId
ALTER TABLE groups ADD COLUMN client_id TEXT;
ALTER TABLE groups ADD COLUMN request BLOB;
CREATE UNIQUE INDEX groups_client ON groups (made_by, client_id) WHERE client_id IS NOT NULL;

-- +goose Down
DROP INDEX groups_client;
ALTER TABLE groups DROP COLUMN request;
ALTER TABLE groups DROP COLUMN client_id;
ALTER TABLE groups DROP COLUMN made_by;
