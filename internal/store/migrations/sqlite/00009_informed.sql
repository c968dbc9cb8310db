-- +goose Up
ALTER TABLE groups ADD COLUMN informed INTEGER NOT NULL DEFAULT 0; -- active members who have read what is announced
UPDATE groups SET informed = (SELECT COUNT(*) FROM memberships b
  WHERE b.group_key = groups.key AND b.announced = groups.announced AND b.announced > 0 AND b.state = 'active') WHERE announced > 0;
DROP INDEX memberships_announced;

-- +goose Down
CREATE INDEX memberships_announced ON memberships (group_key, announced) WHERE announced > 0 AND state = 'active';
ALTER TABLE groups DROP COLUMN informed;
