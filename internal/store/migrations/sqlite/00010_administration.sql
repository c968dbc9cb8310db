-- What administrators look for, and the files of a group.

-- +goose Up
CREATE INDEX audit_by ON audit (by_id, key);
CREATE INDEX audit_act ON audit (act, key);
CREATE INDEX reports_resolved ON reports (resolved_at) WHERE resolved_at > 0;
CREATE INDEX file_uses_group ON file_uses (group_key, seq);

-- +goose Down
DROP INDEX file_uses_group;
DROP INDEX reports_resolved;
DROP INDEX audit_act;
DROP INDEX audit_by;
