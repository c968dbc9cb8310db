package store

import (
	"context"
	"encoding/json"

	"qun/internal/chat"
)

// GroupsOf says where users are: see chat.Store. One statement needs no transaction to be of one moment.
func (s *Store) GroupsOf(ctx context.Context, users []chat.UserID) (map[chat.UserID][]chat.MyGroup, error) {
	list, err := s.dialect.list(texts(users))
	if err != nil {
		return nil, err
	}
	groups := make(map[chat.UserID][]chat.MyGroup, len(users))
	err = s.readers.use(ctx, func(session *session) error {
		return each(ctx, session, func(row scanner) (more bool, err error) {
			var u chat.UserID
			var g chat.MyGroup
			err = row.Scan(&u, &g.ID, &g.Rev, &g.Members)
			groups[u] = append(groups[u], g)
			return true, err
		}, `SELECT u.id, g.id, b.rev, g.member_count FROM `+memberTables+`
			WHERE u.id IN (`+s.dialect.elements+`) AND b.state = $2 AND g.dissolved_at = 0 ORDER BY b.user_rev`, list, chat.MemberActive)
	})
	return groups, err
}

// Mine reads what is users' own: see chat.MineReader.
func (r *reader) Mine(users []chat.UserID) (map[chat.UserID]*chat.Mine, error) {
	list, err := r.dialect.list(texts(users))
	if err != nil {
		return nil, err
	}
	all := make(map[chat.UserID]*chat.Mine, len(users))
	for _, u := range users {
		all[u] = &chat.Mine{Settings: json.RawMessage(`{}`), Peers: map[chat.GroupID]*chat.User{}}
	}
	for _, read := range []func(map[chat.UserID]*chat.Mine, any) error{r.myRows, r.myBelongings, r.myRequests, r.myBlocks} {
		if err := read(all, list); err != nil {
			return nil, err
		}
	}
	return all, r.myPeers(all)
}

func (r *reader) myRows(all map[chat.UserID]*chat.Mine, list any) error {
	return r.each(list, func(s scanner) error {
		u, own, settings := new(chat.User), chat.Mine{}, ""
		err := readUser(s, u, &own.Head, &own.Rev, &settings, &own.SettingsRev)
		if to := all[u.ID]; err == nil {
			to.User, to.Head, to.Rev, to.Settings, to.SettingsRev = u, own.Head, own.Rev, json.RawMessage(settings), own.SettingsRev
		}
		return err
	}, `SELECT `+userColumns+`, u.head, u.rev, u.settings, u.settings_rev FROM users u WHERE u.id IN (`+r.dialect.elements+`)`)
}

func (r *reader) myBelongings(all map[chat.UserID]*chat.Mine, list any) error {
	return r.each(list, func(s scanner) error {
		b, err := scanBelonging(s)
		if err == nil {
			to := all[b.Membership.UserID]
			to.Belongings = append(to.Belongings, b)
		}
		return err
	}, `SELECT `+mineColumns+`, `+groupColumns+` FROM `+memberTables+` WHERE u.id IN (`+r.dialect.elements+`) ORDER BY b.user_rev`)
}

// myPeers reads who the others are in groups of two, if there are any.
func (r *reader) myPeers(all map[chat.UserID]*chat.Mine) error {
	var directs []chat.GroupID
	for _, mine := range all {
		for _, b := range mine.Belongings {
			if b.Group.Kind == chat.KindDirect {
				directs = append(directs, b.Group.ID)
			}
		}
	}
	if len(directs) == 0 {
		return nil
	}
	list, err := r.dialect.list(texts(directs))
	if err != nil {
		return err
	}
	pairs := make(map[chat.GroupID][]*chat.User, len(directs))
	err = r.each(list, func(s scanner) error {
		var g chat.GroupID
		u := new(chat.User)
		err := readUser(s, u, &g)
		pairs[g] = append(pairs[g], u)
		return err
	}, `SELECT `+userColumns+`, g.id FROM `+memberTables+` WHERE g.id IN (`+r.dialect.elements+`)`)
	for id, mine := range all {
		for _, b := range mine.Belongings {
			for _, u := range pairs[b.Group.ID] {
				if u.ID != id {
					mine.Peers[b.Group.ID] = u
				}
			}
		}
	}
	return err
}

func (r *reader) myRequests(all map[chat.UserID]*chat.Mine, list any) error {
	return r.each(list, func(s scanner) error {
		q, err := scanRequest(s)
		if err == nil {
			to := all[q.User.ID]
			to.Requests = append(to.Requests, q)
		}
		return err
	}, `SELECT `+requestColumns+` FROM `+requestTables+`
		WHERE u.id IN (`+r.dialect.elements+`) AND g.dissolved_at = 0 ORDER BY q.user_rev`)
}

func (r *reader) myBlocks(all map[chat.UserID]*chat.Mine, list any) error {
	return r.each(list, func(s scanner) error {
		b, err := scanBlock(s)
		if err == nil {
			to := all[b.By]
			to.Blocks = append(to.Blocks, b)
		}
		return err
	}, `SELECT `+blockColumns+` FROM `+blockTables+` WHERE u.id IN (`+r.dialect.elements+`) ORDER BY b.user_rev`)
}

// each calls take with the rows of a query about the elements of a list.
func (r *reader) each(list any, take func(scanner) error, query string) error {
	return each(r.ctx, r.session, func(s scanner) (more bool, err error) {
		err = take(s)
		return err == nil, err
	}, query, list)
}
