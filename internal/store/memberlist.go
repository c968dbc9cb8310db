package store

import (
	"fmt"

	"qun/internal/chat"
)

// sqlUnlist deletes the names of a member. The plus keeps SQLite from going through the whole group to find three rows.
const sqlUnlist = `DELETE FROM member_terms WHERE user_key = $2 AND +group_key = $1`

// listMember writes by which names a member is found; who is no member is not.
func (t *tx) listMember(key memberKey, m *chat.Member) error {
	if _, err := t.exec(sqlUnlist, key.group, key.user); err != nil {
		return err
	}
	if m.State != chat.MemberActive {
		return nil
	}
	named := *m
	if named.NickName == "" {
		if err := t.row(`SELECT nick, COALESCE(username, '') FROM users WHERE key = $1`, []any{key.user}, &named.NickName, &named.Username); err != nil {
			return err
		}
	}
	for _, term := range named.Terms() {
		_, err := t.exec(`INSERT INTO member_terms (group_key, rank, term, user_key, main) VALUES ($1, $2, $3, $4, $5)`,
			key.group, named.Rank(), term.Term, key.user, term.Main)
		if err != nil {
			return err
		}
	}
	return nil
}

// lastRank is that of plain members.
const lastRank = 2

// lastRune is greater than what any name holds.
const lastRune = "\U0010ffff"

// Members is a range of the list: see chat.MemberLister. A prefix has a range of its own in each rank. A member is listed
// where its first name with the prefix stands: each one's few names are looked at, for PostgreSQL, asked whether there is
// one, would compare all lists as a whole; and the plus keeps it from looking through the range for them.
func (r *reader) Members(g chat.GroupID, prefix string, after chat.MemberPlace, limit int) ([]chat.ListedMember, error) {
	var group, user int64
	err := r.row(`SELECT COALESCE((SELECT key FROM groups WHERE id = $1), 0), COALESCE((SELECT key FROM users WHERE id = $2), 0)`,
		[]any{g, after.User}, &group, &user)
	if err != nil {
		return nil, fmt.Errorf("find a place in the list of members: %w", err)
	}
	if prefix == "" {
		return r.listed(`t.main AND (t.rank, t.term, t.user_key) > ($2, $3, $4) ORDER BY t.rank, t.term, t.user_key LIMIT $5`,
			group, after.Rank, after.Term, user, limit)
	}
	all := []chat.ListedMember{}
	for rank := after.Rank; rank <= lastRank && len(all) < limit; rank++ {
		from, key := prefix, int64(0)
		if rank == after.Rank && after.Term >= prefix {
			from, key = after.Term, user
		}
		found, err := r.listed(`t.rank = $2 AND (t.term, t.user_key) > ($3, $4) AND t.term >= $3 AND t.term < $5
			AND (SELECT o.user_key FROM member_terms o WHERE o.user_key = t.user_key AND o.group_key = t.group_key
				AND +o.rank = t.rank AND o.term >= $6 AND o.term < t.term LIMIT 1) IS NULL
			ORDER BY t.term, t.user_key LIMIT $7`, group, rank, from, key, prefix+lastRune, prefix, limit-len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (r *reader) listed(where string, args ...any) ([]chat.ListedMember, error) {
	return collect(r.ctx, r.session, func(s scanner) (chat.ListedMember, error) {
		var m memberRow
		var at chat.MemberPlace
		err := s.Scan(append(m.dest(), &at.Rank, &at.Term)...)
		at.User = m.UserID
		return chat.ListedMember{Member: &m.Member, Place: at}, err
	}, `SELECT `+memberColumns+`, t.rank, t.term FROM member_terms t
		JOIN memberships b ON b.group_key = t.group_key AND b.user_key = t.user_key
		JOIN groups g ON g.key = t.group_key JOIN users u ON u.key = t.user_key
		WHERE t.group_key = $1 AND `+where, args...)
}
