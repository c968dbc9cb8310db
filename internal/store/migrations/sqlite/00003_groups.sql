-- +goose Up
ALTER TABLE groups ADD COLUMN name_key TEXT NOT NULL DEFAULT '';        -- the name as it is looked for
ALTER TABLE groups ADD COLUMN announced INTEGER NOT NULL DEFAULT 0;     -- the group's number at which it was last announced
ALTER TABLE groups ADD COLUMN announced_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;      -- join requests that wait
UPDATE groups SET name_key = lower(trim(name));                         -- as far as SQL can; each is written anew with its group
CREATE INDEX groups_found ON groups (name_key, key) WHERE visibility <> 'private' AND dissolved_at = 0;

ALTER TABLE memberships ADD COLUMN out_until INTEGER NOT NULL DEFAULT 0; -- who was removed stays out until then; 0: not said
ALTER TABLE memberships ADD COLUMN announced INTEGER NOT NULL DEFAULT 0; -- the announcement that its user has read
ALTER TABLE memberships ADD COLUMN barred INTEGER NOT NULL DEFAULT 0;    -- in a group of two: who blocked whom
CREATE INDEX memberships_announced ON memberships (group_key, announced) WHERE announced > 0 AND state = 'active';
CREATE INDEX memberships_banned ON memberships (group_key, rev) WHERE state = 'banned';

-- What active members may be found by, folded. A page of members, or of those whose name begins with something, is a
-- range of the table: by rank, then by name. Each member has one row that is main, the name it is shown by.
CREATE TABLE member_terms (
  group_key INTEGER NOT NULL REFERENCES groups (key),
  rank      INTEGER NOT NULL,
  term      TEXT    NOT NULL,
  user_key  INTEGER NOT NULL REFERENCES users (key),
  main      INTEGER NOT NULL,
  PRIMARY KEY (group_key, rank, term, user_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_terms_user ON member_terms (user_key, group_key);
INSERT INTO member_terms (group_key, rank, term, user_key, main)
  SELECT b.group_key, CASE b.role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, lower(trim(u.nick)), b.user_key, 1
  FROM memberships b JOIN users u ON u.key = b.user_key WHERE b.state = 'active';

-- An invite is shown again to whom it belongs, so its token is kept as it is. It lets into one group, and ends.
CREATE TABLE invites (
  key        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  token      TEXT    NOT NULL UNIQUE,
  group_key  INTEGER NOT NULL REFERENCES groups (key),
  user_key   INTEGER NOT NULL REFERENCES users (key), -- who made it
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL DEFAULT 0,              -- 0: never
  max_uses   INTEGER NOT NULL DEFAULT 0,              -- 0: no bound
  uses       INTEGER NOT NULL DEFAULT 0,
  revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX invites_group ON invites (group_key, key) WHERE revoked_at = 0;

-- One wish of a user to be in a group. It is private to the user, and to those who decide.
CREATE TABLE join_requests (
  group_key  INTEGER NOT NULL REFERENCES groups (key),
  user_key   INTEGER NOT NULL REFERENCES users (key),
  user_rev   INTEGER NOT NULL,                        -- of the user's counter
  state      TEXT    NOT NULL,
  text       TEXT    NOT NULL,
  asked_at   INTEGER NOT NULL,
  PRIMARY KEY (group_key, user_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX join_requests_waiting ON join_requests (group_key, asked_at, user_key) WHERE state = 'waiting';
CREATE INDEX join_requests_user ON join_requests (user_key, user_rev);

-- Whom a user does not want to hear from directly. Private to that user; one that was taken back stays.
CREATE TABLE blocks (
  user_key   INTEGER NOT NULL REFERENCES users (key),
  target_key INTEGER NOT NULL REFERENCES users (key),
  user_rev   INTEGER NOT NULL,                        -- of the user's counter
  blocked    INTEGER NOT NULL,
  PRIMARY KEY (user_key, target_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_rev ON blocks (user_key, user_rev);

-- Who used a power, when and on whom. Rows are added, and nothing else.
CREATE TABLE audit (
  key       INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  act       TEXT    NOT NULL,
  by_id     TEXT    NOT NULL,                         -- ids outlive what they name
  group_id  TEXT    NOT NULL,
  target_id TEXT    NOT NULL,
  value     TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_group ON audit (group_id, key);
-- +goose StatementBegin
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit;
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
