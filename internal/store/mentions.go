package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"qun/internal/chat"
)

// allMembers is the user_key of a mention of all.
const allMembers = 0

// mentionedColumn is chat.Membership's Mentioned of the membership b.
const mentionedColumn = `(SELECT COUNT(*) FROM mentions n WHERE n.group_key = b.group_key AND n.user_key = b.user_key AND n.seq > b.read_seq)
	+ (SELECT COUNT(*) FROM mentions n WHERE n.group_key = b.group_key AND n.user_key = 0 AND n.seq > b.read_seq AND n.by_key <> b.user_key)`

// countMentions is chat.Reader's CountMentions by keys.
func countMentions(ctx context.Context, s *session, group, user int64, after chat.Seq) (n int64, err error) {
	err = s.row(ctx, `SELECT (SELECT COUNT(*) FROM mentions WHERE group_key = $1 AND user_key = $2 AND seq > $3)
		+ (SELECT COUNT(*) FROM mentions WHERE group_key = $1 AND user_key = 0 AND seq > $3 AND by_key <> $2)`,
		[]any{group, user, after}, &n)
	if err != nil {
		return 0, fmt.Errorf("count mentions: %w", err)
	}
	return n, nil
}

func (r *reader) CountMentions(g chat.GroupID, u chat.UserID, after chat.Seq) (int64, error) {
	var group, user int64
	err := r.row(`SELECT (SELECT COALESCE(MAX(key), 0) FROM groups WHERE id = $1), (SELECT COALESCE(MAX(key), -1) FROM users WHERE id = $2)`,
		[]any{g, u}, &group, &user)
	if err != nil {
		return 0, fmt.Errorf("find a member: %w", err)
	}
	return countMentions(r.ctx, r.session, group, user, after)
}

// mentionable leaves out who is not in the group, or blocks the sender.
func (t *tx) mentionable(g *groupRow, by chat.UserID, ids []chat.UserID) (members []chat.UserID, err error) {
	for _, id := range ids {
		can, err := t.canMention(g, by, id)
		if err != nil {
			return nil, fmt.Errorf("look up who is mentioned: %w", err)
		}
		if can {
			members = append(members, id)
		}
	}
	return members, nil
}

func (t *tx) canMention(g *groupRow, by, id chat.UserID) (bool, error) {
	if id == chat.MentionAll {
		return true, nil
	}
	m, err := t.memberByID(g, id)
	if err != nil || m == nil || !m.Active() {
		return false, err
	}
	blocks, err := blocked(t.ctx, t.session, id, by)
	return !blocks, err
}

// memberByID is a membership of somebody who may have none, or not even a row.
func (t *tx) memberByID(g *groupRow, id chat.UserID) (*memberRow, error) {
	key, err := t.userKey(id)
	if errors.Is(err, chat.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return t.member(g, key, id)
}

// changeMentions stores that the message seq of by mentions after instead of before, and tells those whose count changes.
// Everybody is one row, and is not told: each member's client sees the message.
func (t *tx) changeMentions(g *groupRow, by chat.UserID, seq chat.Seq, before, after []chat.UserID) error {
	if slices.Equal(before, after) {
		return nil
	}
	sender, err := t.userKey(by)
	if err != nil {
		return fmt.Errorf("find user %s: %w", by, err)
	}
	was, is := counted(before, by), counted(after, by)
	for _, id := range was {
		if !slices.Contains(is, id) {
			if err := t.setMention(g, id, seq, sender, false); err != nil {
				return err
			}
		}
	}
	for _, id := range is {
		if !slices.Contains(was, id) {
			if err := t.setMention(g, id, seq, sender, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// counted are the rows that mentions make: one for all, or one for each but the sender.
func counted(mentions []chat.UserID, by chat.UserID) []chat.UserID {
	if slices.Contains(mentions, chat.MentionAll) {
		return []chat.UserID{chat.MentionAll}
	}
	return slices.DeleteFunc(slices.Clone(mentions), func(id chat.UserID) bool { return id == by })
}

func (t *tx) setMention(g *groupRow, id chat.UserID, seq chat.Seq, sender int64, on bool) (err error) {
	key := int64(allMembers)
	if id != chat.MentionAll {
		if key, err = t.userKey(id); err != nil {
			return fmt.Errorf("find user %s: %w", id, err)
		}
	}
	if on {
		_, err = t.exec(`INSERT INTO mentions (group_key, user_key, seq, by_key) VALUES ($1, $2, $3, $4)
			ON CONFLICT (group_key, user_key, seq) DO NOTHING`, g.key, key, seq, sender)
	} else {
		_, err = t.exec(`DELETE FROM mentions WHERE group_key = $1 AND user_key = $2 AND seq = $3`, g.key, key, seq)
	}
	if err != nil {
		return fmt.Errorf("write a mention: %w", err)
	}
	if key == allMembers {
		return nil
	}
	return t.tellMention(g, key, id, seq)
}

// tellMention tells a member that has not read up to seq of its count of mentions.
func (t *tx) tellMention(g *groupRow, key int64, id chat.UserID, seq chat.Seq) error {
	m, err := t.member(g, key, id)
	if err != nil || m == nil || !m.Active() || seq <= m.ReadSeq {
		return err
	}
	if m.UserRev, err = t.nextOfUser(key); err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	_, err = t.exec(`UPDATE memberships SET user_rev = $3 WHERE group_key = $1 AND user_key = $2`, g.key, key, m.UserRev)
	if err != nil {
		return fmt.Errorf("write a membership: %w", err)
	}
	return t.tellMember(g, m)
}

// tellMember tells a user of its membership as it is now.
func (t *tx) tellMember(g *groupRow, m *memberRow) (err error) {
	if m.Mentioned, err = countMentions(t.ctx, t.session, m.key.group, m.key.user, m.ReadSeq); err != nil {
		return err
	}
	t.events = append(t.events, chat.MembershipEvent(&g.Group, &m.Membership))
	return nil
}
