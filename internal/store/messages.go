package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"qun/internal/chat"
)

const messageColumns = `m.id, g.id, m.seq, m.rev, g.room, COALESCE(u.id, ''), m.nick, m.guest, m.kind, m.text,
	COALESCE(m.client_id, ''), m.reply_to, m.mentions, m.files, m.reactions, m.preview, m.system, m.pinned_at, m.edited_at, m.recalled_at, m.sent_at`

const messageTables = `messages m JOIN groups g ON g.key = m.group_key LEFT JOIN users u ON u.key = m.user_key`

func scanMessage(s scanner) (*chat.Message, error) {
	m := new(chat.Message)
	return m, readMessage(s, m)
}

// readMessage scans messageColumns, and more after them.
func readMessage(s scanner, m *chat.Message, more ...any) error {
	var mentions, files, reactions, preview, system string
	dest := []any{&m.ID, &m.GroupID, &m.Seq, &m.Rev, &m.Room, &m.UserID, &m.NickName, &m.Guest, &m.Kind, &m.Text,
		&m.ClientID, &m.ReplyTo, &mentions, &files, &reactions, &preview, &system, &m.PinnedAt, &m.EditedAt, &m.RecalledAt, &m.SentAt}
	if err := s.Scan(append(dest, more...)...); err != nil {
		return err
	}
	err := errors.Join(readJSON(mentions, &m.Mentions), readJSON(files, &m.Files), readJSON(reactions, &m.Reactions),
		readJSON(preview, &m.Preview), readJSON(system, &m.System))
	if err != nil {
		return fmt.Errorf("read message %d of %s: %w", m.Seq, m.GroupID, err)
	}
	return nil
}

// readJSON reads a column of JSON, "" for nothing.
func readJSON(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// carried is what a message carries beside its text, as its columns keep it.
type carried struct{ mentions, files, reactions, preview, system string }

func carriedBy(m *chat.Message) (c carried, err error) {
	var errs [5]error
	if len(m.Mentions) > 0 {
		c.mentions, errs[0] = writeJSON(m.Mentions)
	}
	if len(m.Files) > 0 {
		c.files, errs[1] = writeJSON(m.Files)
	}
	if len(m.Reactions) > 0 {
		c.reactions, errs[2] = writeJSON(m.Reactions)
	}
	if m.System != nil {
		c.system, errs[3] = writeJSON(m.System)
	}
	if m.Preview != nil {
		c.preview, errs[4] = writeJSON(m.Preview)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return carried{}, fmt.Errorf("write what a message carries: %w", err)
	}
	return c, nil
}

func writeJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

// sentBefore is a message found by its clientId.
type sentBefore struct {
	message *chat.Message
	hash    chat.RequestHash
}

func scanSentBefore(s scanner) (sentBefore, error) {
	found := sentBefore{message: new(chat.Message)}
	var hash []byte
	err := readMessage(s, found.message, &hash)
	copy(found.hash[:], hash)
	return found, err
}

const sqlByClientID = `SELECT ` + messageColumns + `, m.request FROM ` + messageTables + `
	WHERE m.user_key = (SELECT key FROM users WHERE id = $1) AND m.client_id = $2`

// AppendMessage is the hot path: see chat.Store.
func (s *Store) AppendMessage(ctx context.Context, p *chat.Posting) (*chat.Sent, error) {
	o := &op{ctx: ctx, rows: []place{{p.Message.GroupID, p.Message.UserID}}, posting: p}
	for _, id := range p.Message.Mentions {
		o.rows = append(o.rows, place{p.Message.GroupID, id})
	}
	if err := s.writerOf(p.Message.GroupID).write(o); err != nil {
		return nil, err
	}
	return o.sent, nil
}

// append stores p, or finds that it was stored before, or refuses it.
func (t *tx) append(p *chat.Posting) (*chat.Sent, error) {
	g, m, err := t.judge(p)
	if err != nil {
		if accident(err) {
			return nil, err
		}
		return t.sentBefore(p, err)
	}
	key, err := t.senderKey(p)
	if err != nil {
		return nil, err
	}
	return t.post(p, g, m, key)
}

// judge reads the rows p depends on and asks the rules.
func (t *tx) judge(p *chat.Posting) (g *groupRow, m *memberRow, err error) {
	g, err = t.group(p.Message.GroupID)
	if errors.Is(err, chat.ErrNotFound) {
		return nil, nil, p.Judge(nil, nil)
	} else if err != nil {
		return nil, nil, fmt.Errorf("read a group: %w", err)
	}
	key, err := t.userKey(p.Message.UserID)
	if err == nil {
		m, err = t.member(g, key, p.Message.UserID)
	} else if errors.Is(err, chat.ErrNotFound) && p.By.Guest {
		err = nil // has not spoken anywhere yet
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read a sender: %w", err)
	}
	if m == nil {
		err = p.Judge(&g.Group, nil)
	} else {
		err = p.Judge(&g.Group, &m.Membership)
	}
	if err == nil && p.Message.ReplyTo > 0 {
		err = t.hasMessage(g.key, p.Message.ReplyTo)
	}
	return g, m, err
}

func (t *tx) hasMessage(group int64, seq chat.Seq) error {
	if t.batch != nil {
		return t.batch.hasMessage(group, seq)
	}
	var there int
	err := t.row(`SELECT 1 FROM messages WHERE group_key = $1 AND seq = $2`, []any{group, seq}, &there)
	if errors.Is(err, chat.ErrNotFound) {
		return chat.ErrNoReply
	}
	return err
}

// senderKey is the key of who sends p; a guest's row is made with its first message.
func (t *tx) senderKey(p *chat.Posting) (int64, error) {
	if key, ok := t.knownKey(p.Message.UserID); ok {
		return key, nil
	}
	if err := t.enroll(); err != nil {
		return 0, err
	}
	key, err := t.userKey(p.Message.UserID) // it may have been made meanwhile
	if !errors.Is(err, chat.ErrNotFound) {
		return key, err
	}
	if err := t.insertGuest(p.By); err != nil {
		return 0, fmt.Errorf("make a guest: %w", err)
	}
	return t.userKey(p.Message.UserID)
}

// post takes the group's next number for p: the next but one, if a membership begins with it. A clientId that is there
// already takes none.
func (t *tx) post(p *chat.Posting, g *groupRow, m *memberRow, key int64) (*chat.Sent, error) {
	begins := m == nil || !m.Active()
	said := p.Message
	said.Room, said.Seq = g.Room, g.Head+1
	if begins {
		said.Seq++
	}
	said.Rev = said.Seq
	if !begins && m.GroupNick != "" {
		said.NickName = m.GroupNick
	}
	var err error
	if len(said.Mentions) > 0 {
		if said.Mentions, err = t.mentionable(g, said.UserID, said.Mentions); err != nil {
			return nil, err
		}
	}
	counted := g.Counted
	if said.Kind.Countable() {
		counted++
	}
	made, err := t.addMessage(g.key, key, &said, p.Hash, counted)
	if err != nil {
		return nil, err
	}
	if !made {
		return t.sentBefore(p, chat.ErrClientIDUsed)
	}
	if err := t.useFiles(g.key, &said); err != nil {
		return nil, err
	}
	if p.Link != "" {
		if err := t.seekPreview(g.key, said.Seq, p.Link, said.SentAt); err != nil {
			return nil, err
		}
	}
	if begins {
		if m, err = t.firstWords(p, g, key); err != nil {
			return nil, err
		}
	}
	g.next()
	g.Counted = counted
	m.spoke(g, said.SentAt, said.Kind.Countable())
	t.events = append(t.events, chat.MessageEvent(&g.Group, &said))
	return &chat.Sent{Message: &said}, t.changeMentions(g, said.UserID, said.Seq, nil, said.Mentions)
}

// firstWords begins the membership of a guest with its first message.
func (t *tx) firstWords(p *chat.Posting, g *groupRow, user int64) (*memberRow, error) {
	if err := t.putMember(g, user, p.Membership()); err != nil {
		return nil, err
	}
	return t.member(g, user, p.Message.UserID)
}

// spoke moves the cursor over an own message if nothing was unread before it; else the message counts as an own one
// among the unread. g counts the message already.
func (m *memberRow) spoke(g *groupRow, at chat.Time, countable bool) {
	m.sent = true
	own := m.OwnUnread
	if countable {
		m.SentAt = at // the line that tells of one's joining is nothing that one sent
		own++
	}
	if g.Counted-m.ReadCount-own == 0 {
		m.ReadSeq, m.ReadCount, m.OwnUnread = g.Head, g.Counted, 0
		return
	}
	m.OwnUnread = own
}

// addMessage stores a message that was sent; not made means that its clientId is there already.
func (t *tx) addMessage(group, user int64, m *chat.Message, hash chat.RequestHash, counted int64) (made bool, err error) {
	if t.batch != nil {
		return t.batch.add(group, user, m, hash, counted)
	}
	return t.insertMessage(group, &user, m, hash[:], counted)
}

func (t *tx) insertMessage(group int64, user *int64, m *chat.Message, hash []byte, counted int64) (made bool, err error) {
	var clientID *string
	if m.ClientID != "" {
		clientID = &m.ClientID
	} else {
		hash = nil
	}
	c, err := carriedBy(m)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO messages (group_key, seq, rev, id, user_key, nick, guest, kind, text, client_id, request,
		reply_to, mentions, files, system, counted, sent_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (user_key, client_id) WHERE client_id IS NOT NULL DO NOTHING`,
		group, m.Seq, m.Rev, m.ID, user, m.NickName, m.Guest, m.Kind, m.Text, clientID, hash, m.ReplyTo,
		c.mentions, c.files, c.system, counted, m.SentAt)
	if err != nil {
		return false, fmt.Errorf("write a message: %w", err)
	}
	return n == 1, nil
}

// sentBefore answers p with what was stored under its clientId; if there is nothing, with the refusal otherwise.
func (t *tx) sentBefore(p *chat.Posting, otherwise error) (*chat.Sent, error) {
	if p.Message.ClientID == "" {
		return nil, otherwise
	}
	found, err := t.byClientID(p.Message.UserID, p.Message.ClientID)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return nil, otherwise
	case err != nil:
		return nil, fmt.Errorf("look up a clientId: %w", err)
	case found.hash != p.Hash:
		return nil, chat.ErrClientIDUsed
	}
	return &chat.Sent{Message: found.message, Duplicate: true}, nil
}

func (t *tx) byClientID(u chat.UserID, clientID string) (sentBefore, error) {
	if t.batch != nil {
		return t.batch.byClientID(u, clientID)
	}
	return one(t.ctx, t.session, scanSentBefore, sqlByClientID, u, clientID)
}
