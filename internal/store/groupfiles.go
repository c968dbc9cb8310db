package store

import (
	"math"

	"qun/internal/chat"
)

// MessagesWithFiles reads along the uses of files: see chat.GroupFileReader. What was recalled keeps its uses for a while.
func (r *reader) MessagesWithFiles(g chat.GroupID, pictures bool, first, before chat.Seq, limit int) ([]*chat.Message, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	kind := `LIKE`
	if !pictures {
		kind = `NOT LIKE`
	}
	return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = (SELECT key FROM groups WHERE id = $1) AND m.seq IN (
			SELECT DISTINCT x.seq FROM file_uses x JOIN files f ON f.id = x.file_id
			JOIN messages n ON n.group_key = x.group_key AND n.seq = x.seq AND n.files <> ''
			WHERE x.group_key = (SELECT key FROM groups WHERE id = $1) AND x.seq >= $2 AND x.seq < $3 AND f.type `+kind+` 'image/%'
			ORDER BY x.seq DESC LIMIT $4)
		ORDER BY m.seq DESC`, g, first, before, limit)
}
