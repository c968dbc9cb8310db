package store

import (
	"strings"

	"qun/internal/chat"
)

// FindGroups reads along the index of names: see chat.GroupFinder.
func (r *reader) FindGroups(text string, public bool, after chat.GroupPlace, limit int) ([]*chat.Group, error) {
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
	return collect(r.ctx, r.session, func(s scanner) (*chat.Group, error) {
		g, err := scanGroup(s)
		return &g.Group, err
	}, `SELECT `+groupColumns+` FROM groups g
		WHERE g.visibility <> 'private' AND g.dissolved_at = 0 AND (g.visibility = 'open' OR $1)
		AND (g.name_key, g.key) > ($2, COALESCE((SELECT key FROM groups WHERE id = $3), 0))
		AND (g.name_key LIKE $4 ESCAPE '\' OR g.room_key LIKE $4 ESCAPE '\')
		ORDER BY g.name_key, g.key LIMIT $5`, public, after.Name, after.Group, pattern, limit)
}
