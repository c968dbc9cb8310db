package store

import (
	"math"

	"qun/internal/chat"
)

func (r *reader) Banned(g chat.GroupID, before chat.Seq, limit int) ([]chat.Banned, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return collect(r.ctx, r.session, func(s scanner) (chat.Banned, error) {
		m, err := scanMember(s)
		return chat.Banned{Member: &m.Member, Until: m.OutUntil}, err
	}, `SELECT `+memberColumns+` FROM `+memberTables+`
		WHERE b.group_key = `+keyOfGroup+` AND b.state = 'banned' AND b.rev < $2 ORDER BY b.rev DESC LIMIT $3`, g, before, limit)
}
