package store

import (
	"fmt"

	"qun/internal/chat"
)

// batch is what a transaction knows of all its sends, read together, and what they add, written together.
type batch struct {
	locked  map[chat.GroupID]bool    // groups that are there, and ours until the end
	busy    map[chat.GroupID]bool    // groups that are there, and somebody else's
	known   map[clientKey]sentBefore // clientIds that are stored, or will be
	replies map[messageKey]bool      // messages replied to that are there
	adding  addition
}

type clientKey struct {
	user chat.UserID
	id   string
}

type messageKey struct {
	group int64
	seq   chat.Seq
}

// missing says why a group is not at hand.
func (b *batch) missing(id chat.GroupID) error {
	if b.busy[id] {
		return fmt.Errorf("%w: somebody else holds the group", chat.ErrBusy)
	}
	return chat.ErrNotFound
}

func (b *batch) hasMessage(group int64, seq chat.Seq) error {
	if !b.replies[messageKey{group, seq}] {
		return chat.ErrNoReply
	}
	return nil
}

func (b *batch) byClientID(u chat.UserID, id string) (sentBefore, error) {
	found, ok := b.known[clientKey{u, id}]
	if !ok {
		return sentBefore{}, chat.ErrNotFound
	}
	return found, nil
}

// add puts a message beside the others; false means that its clientId is there already.
func (b *batch) add(group, user int64, m *chat.Message, hash chat.RequestHash, counted int64) (made bool, err error) {
	c, err := carriedBy(m)
	if err != nil {
		return false, err
	}
	if m.ClientID != "" {
		key := clientKey{m.UserID, m.ClientID}
		if _, there := b.known[key]; there {
			return false, nil
		}
		b.known[key] = sentBefore{m, hash}
	}
	b.adding.add(group, user, m, hash, c, counted)
	return true, nil
}

// prepare locks the groups of a batch and reads what its sends depend on. Only what is read after the lock counts.
func (t *tx) prepare(ops []*op) error {
	t.batch = &batch{
		locked: map[chat.GroupID]bool{}, busy: map[chat.GroupID]bool{},
		known: map[clientKey]sentBefore{}, replies: map[messageKey]bool{},
	}
	if err := t.lockGroups(ops); err != nil {
		return fmt.Errorf("lock groups: %w", err)
	}
	for _, o := range ops {
		if o.posting == nil {
			if err := t.enroll(); err != nil {
				return err
			}
			break
		}
	}
	if err := t.readKeys(ops); err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	if err := t.readMembers(ops); err != nil {
		return fmt.Errorf("read memberships: %w", err)
	}
	if err := t.readClientIDs(ops); err != nil {
		return fmt.Errorf("look up clientIds: %w", err)
	}
	if err := t.readReplies(ops); err != nil {
		return fmt.Errorf("look up replies: %w", err)
	}
	return nil
}

// lockGroups locks in the order of the keys.
func (t *tx) lockGroups(ops []*op) error {
	asked := map[chat.GroupID]bool{}
	var ids []string
	for _, o := range ops {
		for _, row := range o.rows {
			if !asked[row.group] {
				asked[row.group] = true
				ids = append(ids, string(row.group))
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	how := t.dialect.lockRow
	if t.passOver {
		how = t.dialect.lockFree
	}
	groups, err := collect(t.ctx, t.session, scanGroup, `SELECT `+groupColumns+` FROM groups g WHERE g.id = ANY($1) ORDER BY g.key`+how, ids)
	if err != nil {
		return err
	}
	for _, g := range groups {
		t.own(g)
	}
	if !t.passOver {
		return nil
	}
	_, err = collect(t.ctx, t.session, func(s scanner) (id chat.GroupID, err error) {
		err = s.Scan(&id)
		t.batch.busy[id] = true // those that are locked are not asked for here
		return id, err
	}, `SELECT id FROM groups WHERE id = ANY($1)`, ids)
	return err
}

// readKeys reads the keys of users that are not known.
func (t *tx) readKeys(ops []*op) error {
	asked := map[chat.UserID]bool{}
	var ids []string
	for _, o := range ops {
		for _, row := range o.rows {
			if _, known := t.knownKey(row.user); row.user != "" && !known && !asked[row.user] {
				asked[row.user] = true
				ids = append(ids, string(row.user))
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := collect(t.ctx, t.session, func(s scanner) (key int64, err error) {
		var id chat.UserID
		err = s.Scan(&id, &key)
		t.newUserKeys[id] = key
		return key, err
	}, `SELECT id, key FROM users WHERE id = ANY($1)`, ids)
	return err
}

// readMembers reads the memberships; those that are not there are remembered as such.
func (t *tx) readMembers(ops []*op) error {
	var groups, users []int64
	who := map[memberKey]place{}
	for _, o := range ops {
		for _, row := range o.rows {
			user, known := t.knownKey(row.user)
			g := t.groups[row.group]
			if g == nil || !known {
				continue
			}
			key := memberKey{g.key, user}
			if _, asked := who[key]; !asked {
				who[key], t.members[key] = row, nil
				groups, users = append(groups, g.key), append(users, user)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	_, err := collect(t.ctx, t.session, func(s scanner) (*memberRow, error) {
		m := new(memberRow)
		err := s.Scan(append([]any{&m.key.group, &m.key.user}, m.sendDest()...)...)
		m.GroupID, m.UserID = who[m.key].group, who[m.key].user
		t.members[m.key] = m
		return m, err
	}, `SELECT group_key, user_key, `+sendColumns+` FROM unnest($1::bigint[], $2::bigint[]) AS asked (group_key, user_key)
		JOIN memberships USING (group_key, user_key)`, groups, users)
	return err
}

// readClientIDs reads what was stored under the clientIds of the batch.
func (t *tx) readClientIDs(ops []*op) error {
	var users []int64
	var ids []string
	for _, o := range ops {
		if o.posting == nil || o.posting.Message.ClientID == "" {
			continue
		}
		if key, known := t.knownKey(o.posting.Message.UserID); known {
			users, ids = append(users, key), append(ids, o.posting.Message.ClientID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := collect(t.ctx, t.session, scanSentBefore, `SELECT `+messageColumns+`, m.request
		FROM unnest($1::bigint[], $2::text[]) AS asked (user_key, client_id)
		JOIN messages m ON m.user_key = asked.user_key AND m.client_id = asked.client_id
		JOIN groups g ON g.key = m.group_key JOIN users u ON u.key = m.user_key`, users, ids)
	for _, f := range found {
		t.batch.known[clientKey{f.message.UserID, f.message.ClientID}] = f
	}
	return err
}

// readReplies reads which of the messages replied to are there.
func (t *tx) readReplies(ops []*op) error {
	var groups, seqs []int64
	for _, o := range ops {
		if o.posting == nil || o.posting.Message.ReplyTo <= 0 {
			continue
		}
		if g := t.groups[o.posting.Message.GroupID]; g != nil {
			groups, seqs = append(groups, g.key), append(seqs, int64(o.posting.Message.ReplyTo))
		}
	}
	if len(groups) == 0 {
		return nil
	}
	_, err := collect(t.ctx, t.session, func(s scanner) (key messageKey, err error) {
		err = s.Scan(&key.group, &key.seq)
		t.batch.replies[key] = true
		return key, err
	}, `SELECT group_key, seq FROM unnest($1::bigint[], $2::bigint[]) AS asked (group_key, seq)
		JOIN messages USING (group_key, seq)`, groups, seqs)
	return err
}

// addition is the columns of messages that are to be added.
type addition struct {
	groups, seqs, users, replies, counted, sent []int64
	ids, nicks, kinds, texts                    []string
	mentions, files                             []string
	guests                                      []bool
	clientIDs                                   []*string
	requests                                    [][]byte
}

func (a *addition) add(group, user int64, m *chat.Message, hash chat.RequestHash, c carried, counted int64) {
	var clientID *string
	var request []byte
	if m.ClientID != "" {
		clientID, request = &m.ClientID, hash[:]
	}
	a.groups, a.seqs, a.users = append(a.groups, group), append(a.seqs, int64(m.Seq)), append(a.users, user)
	a.replies, a.counted, a.sent = append(a.replies, int64(m.ReplyTo)), append(a.counted, counted), append(a.sent, int64(m.SentAt))
	a.ids, a.nicks = append(a.ids, string(m.ID)), append(a.nicks, m.NickName)
	a.kinds, a.texts = append(a.kinds, string(m.Kind)), append(a.texts, m.Text)
	a.mentions, a.files = append(a.mentions, c.mentions), append(a.files, c.files)
	a.guests, a.clientIDs, a.requests = append(a.guests, m.Guest), append(a.clientIDs, clientID), append(a.requests, request)
}

// writeTogether writes the messages added, and the counters and cursors that changed.
func (t *tx) writeTogether() error {
	if err := t.writeMessages(); err != nil {
		return err
	}
	if err := t.writeCounters(); err != nil {
		return fmt.Errorf("write counters: %w", err)
	}
	if err := t.writeCursors(); err != nil {
		return fmt.Errorf("write cursors: %w", err)
	}
	return nil
}

// writeMessages adds the messages, in the order of the index in which two transactions could meet.
func (t *tx) writeMessages() error {
	a := t.batch.adding
	if len(a.groups) == 0 {
		return nil
	}
	n, err := t.exec(`INSERT INTO messages (group_key, seq, rev, user_key, reply_to, counted, sent_at, id, nick, kind, text,
			mentions, files, guest, client_id, request)
		SELECT group_key, seq, seq, user_key, reply_to, counted, sent_at, id, nick, kind, text, mentions, files, guest, client_id, request
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
			$9::text[], $10::text[], $11::text[], $12::text[], $13::boolean[], $14::text[], $15::bytea[])
			AS a (group_key, seq, user_key, reply_to, counted, sent_at, id, nick, kind, text, mentions, files, guest, client_id, request)
		ORDER BY user_key, client_id COLLATE "C"
		ON CONFLICT (user_key, client_id) WHERE client_id IS NOT NULL DO NOTHING`,
		a.groups, a.seqs, a.users, a.replies, a.counted, a.sent, a.ids, a.nicks, a.kinds, a.texts,
		a.mentions, a.files, a.guests, a.clientIDs, a.requests)
	t.batch.adding = addition{}
	if err == nil && int(n) < len(a.groups) {
		err = errRaced
	}
	if err != nil {
		return fmt.Errorf("write messages: %w", err)
	}
	return nil
}

// writeCounters writes the groups of which nothing but counters changed.
func (t *tx) writeCounters() error {
	var keys, heads, counted, members []int64
	for _, g := range t.groups {
		if g.counters && !g.whole {
			keys, heads = append(keys, g.key), append(heads, int64(g.Head))
			counted, members = append(counted, g.Counted), append(members, int64(g.MemberCount))
			g.counters = false
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE groups g SET head = a.head, counted = a.counted, member_count = a.member_count
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS a (key, head, counted, member_count)
		WHERE g.key = a.key`, keys, heads, counted, members)
	return err
}

// writeCursors writes what sends change of memberships.
func (t *tx) writeCursors() error {
	var groups, users, reads, counts, own, sent []int64
	for key, m := range t.members {
		if m != nil && m.sent {
			groups, users = append(groups, key.group), append(users, key.user)
			reads, counts = append(reads, int64(m.ReadSeq)), append(counts, m.ReadCount)
			own, sent = append(own, m.OwnUnread), append(sent, int64(m.SentAt))
			m.sent = false
		}
	}
	if len(groups) == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE memberships b SET read_seq = a.read_seq, read_count = a.read_count, own_unread = a.own_unread, sent_at = a.sent_at
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
			AS a (group_key, user_key, read_seq, read_count, own_unread, sent_at)
		WHERE b.group_key = a.group_key AND b.user_key = a.user_key`, groups, users, reads, counts, own, sent)
	return err
}
