-- The tables of SQLite, and why they are so, are in ../sqlite.

-- +goose Up
ALTER TABLE groups ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE groups ADD COLUMN announced BIGINT NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN announced_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN requests BIGINT NOT NULL DEFAULT 0;
UPDATE groups SET name_key = lower(trim(name));
CREATE INDEX groups_found ON groups (name_key, key) WHERE visibility <> 'private' AND dissolved_at = 0;

ALTER TABLE memberships ADD COLUMN out_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN announced BIGINT NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN barred BIGINT NOT NULL DEFAULT 0;
CREATE INDEX memberships_announced ON memberships (group_key, announced) WHERE announced > 0 AND state = 'active';
CREATE INDEX memberships_banned ON memberships (group_key, rev) WHERE state = 'banned';

CREATE TABLE member_terms (
  group_key BIGINT NOT NULL REFERENCES groups (key),
  rank      BIGINT NOT NULL,
  term      TEXT   COLLATE "C" NOT NULL,
  user_key  BIGINT NOT NULL REFERENCES users (key),
  main      BOOLEAN NOT NULL,
  PRIMARY KEY (group_key, rank, term, user_key)
);
CREATE INDEX member_terms_user ON member_terms (user_key, group_key);
INSERT INTO member_terms (group_key, rank, term, user_key, main)
  SELECT b.group_key, CASE b.role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, lower(trim(u.nick)), b.user_key, TRUE
  FROM memberships b JOIN users u ON u.key = b.user_key WHERE b.state = 'active';

CREATE TABLE invites (
  key        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id         TEXT   COLLATE "C" NOT NULL UNIQUE,
  token      TEXT   COLLATE "C" NOT NULL UNIQUE,
  group_key  BIGINT NOT NULL REFERENCES groups (key),
  user_key   BIGINT NOT NULL REFERENCES users (key),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0,
  max_uses   BIGINT NOT NULL DEFAULT 0,
  uses       BIGINT NOT NULL DEFAULT 0,
  revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX invites_group ON invites (group_key, key) WHERE revoked_at = 0;

CREATE TABLE join_requests (
  group_key  BIGINT NOT NULL REFERENCES groups (key),
  user_key   BIGINT NOT NULL REFERENCES users (key),
  user_rev   BIGINT NOT NULL,
  state      TEXT   NOT NULL,
  text       TEXT   NOT NULL,
  asked_at   BIGINT NOT NULL,
  PRIMARY KEY (group_key, user_key)
);
CREATE INDEX join_requests_waiting ON join_requests (group_key, asked_at, user_key) WHERE state = 'waiting';
CREATE INDEX join_requests_user ON join_requests (user_key, user_rev);

CREATE TABLE blocks (
  user_key   BIGINT NOT NULL REFERENCES users (key),
  target_key BIGINT NOT NULL REFERENCES users (key),
  user_rev   BIGINT NOT NULL,
  blocked    BOOLEAN NOT NULL,
  PRIMARY KEY (user_key, target_key)
);
CREATE INDEX blocks_rev ON blocks (user_key, user_rev);

CREATE TABLE audit (
  key       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        BIGINT NOT NULL,
  act       TEXT   NOT NULL,
  by_id     TEXT   COLLATE "C" NOT NULL,
  group_id  TEXT   COLLATE "C" NOT NULL,
  target_id TEXT   COLLATE "C" NOT NULL,
  value     TEXT   NOT NULL
);
CREATE INDEX audit_group ON audit (group_id, key);
-- +goose StatementBegin
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is only added to';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

-- +goose Down
DROP TABLE audit;
DROP FUNCTION audit_stays;
DROP TABLE blocks;
DROP TABLE join_requests;
DROP TABLE invites;
DROP TABLE member_terms;
DROP INDEX memberships_banned;
DROP INDEX memberships_announced;
ALTER TABLE memberships DROP COLUMN barred;
ALTER TABLE memberships DROP COLUMN announced;
ALTER TABLE memberships DROP COLUMN out_until;
DROP INDEX groups_found;
ALTER TABLE groups DROP COLUMN requests;
ALTER TABLE groups DROP COLUMN announced_at;
ALTER TABLE groups DROP COLUMN announced;
ALTER TABLE groups DROP COLUMN name_key;
