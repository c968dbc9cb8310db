package store

import (
	"errors"
	"fmt"
	"slices"

	"qun/internal/chat"
)

const (
	// readThrough is how many of the newest messages a search reads in any case, unless it wants few hits: who looks for what everybody says finds
	// a page of it there, and the index, which would first have to gather all of it, is not asked.
	readThrough = 300
	// maxAsked bounds how many messages of the index are read at once.
	maxAsked = 1000
	// maxHolding bounds how far the index is gone through for the groups that hold something.
	maxHolding = 2000
)

// spoken is what a search looks at of a message.
type spoken struct {
	seq, rev chat.Seq
	user     int64  // 0: the server itself
	text     string // "" if it is not to be found: recalled, or not said by anybody
}

const spokenColumns = `seq, rev, COALESCE(user_key, 0), CASE WHEN kind IN ('text', 'file') AND recalled_at = 0 THEN text ELSE '' END`

func scanSpoken(s scanner) (m spoken, err error) {
	err = s.Scan(&m.seq, &m.rev, &m.user, &m.text)
	return m, err
}

// Search finds messages: see chat.SearchReader.
func (r *reader) Search(q chat.Search) ([]*chat.Message, error) {
	s, err := r.searching(&q)
	if err != nil || q.Words.Empty() {
		return []*chat.Message{}, orNothing(err)
	}
	if err := s.search(); err != nil {
		return nil, fmt.Errorf("search group %s: %w", q.Group, err)
	}
	return r.messagesAt(s.group, s.found)
}

// orNothing makes a row that is not there no error: then nothing is found.
func orNothing(err error) error {
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	return err
}

// messagesAt are these messages of a group, the newest first.
func (r *reader) messagesAt(group int64, seqs []chat.Seq) ([]*chat.Message, error) {
	list, err := r.dialect.listOf(seqs)
	if err != nil {
		return nil, err
	}
	return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.seq IN (`+r.dialect.numbers+`) AND m.group_key = $2 ORDER BY m.seq DESC`, list, group)
}

// searching is a search in one group on its way.
type searching struct {
	*reader
	q      *chat.Search
	group  int64
	upTo   chat.Seq // how far the index follows the group
	user   int64    // who must have sent it; 0: anybody
	before chat.Seq // everything from here on was looked at
	found  []chat.Seq
}

// searching begins a search; chat.ErrNotFound says that nothing can be found.
func (r *reader) searching(q *chat.Search) (*searching, error) {
	s := &searching{reader: r, q: q, before: q.Before}
	var head chat.Seq
	if err := r.row(`SELECT key, head FROM groups WHERE id = $1`, []any{q.Group}, &s.group, &head); err != nil {
		return nil, err
	}
	if s.before == 0 {
		s.before = head + 1
	}
	if q.From != "" {
		if err := r.row(`SELECT key FROM users WHERE id = $1`, []any{q.From}, &s.user); err != nil {
			return nil, err
		}
	}
	known, err := r.index.progress(r, []int64{s.group})
	s.upTo = known[s.group].rev
	return s, err
}

// search looks through the newest messages and through all that the index does not know yet, and then asks the index.
func (s *searching) search() error {
	more, err := s.readNewest()
	if err != nil || !more {
		return err
	}
	if err := s.readChanged(); err != nil {
		return err
	}
	if err := s.ask(); err != nil {
		return err
	}
	slices.SortFunc(s.found, func(a, b chat.Seq) int { return int(b - a) })
	s.found = s.found[:min(len(s.found), s.q.Limit)]
	return nil
}

// readNewest reads from the end on; more says that there are messages before, and not enough found.
func (s *searching) readNewest() (more bool, err error) {
	for read, step := 0, max(4*s.q.Limit, readThrough/10); ; step = readThrough {
		step = min(step, readThrough)
		rows, err := collect(s.ctx, s.session, scanSpoken, `SELECT `+spokenColumns+` FROM messages
			WHERE group_key = $1 AND seq >= $2 AND seq < $3 ORDER BY seq DESC LIMIT $4`, s.group, s.q.First, s.before, step)
		if err != nil {
			return false, err
		}
		for _, m := range rows {
			if s.before = m.seq; s.matches(&m) {
				s.found = append(s.found, m.seq)
			}
			if len(s.found) == s.q.Limit {
				return false, nil
			}
		}
		if len(rows) < step {
			return false, nil
		}
		if read += step; read >= min(readThrough, 6*s.q.Limit) && s.before <= s.upTo+1 {
			return true, nil
		}
	}
}

// readChanged reads those before that changed since the index looked at them: a few, by the index of changes. The signs
// keep the planner from going through the whole group instead.
func (s *searching) readChanged() error {
	rows, err := collect(s.ctx, s.session, scanSpoken, `SELECT `+spokenColumns+` FROM messages
		WHERE group_key = $1 AND rev > seq AND rev > $2 AND +seq >= $3 AND +seq < $4`, s.group, s.upTo, s.q.First, s.before)
	for _, m := range rows {
		if s.matches(&m) {
			s.found = append(s.found, m.seq)
		}
	}
	return err
}

// ask asks the index for the rest, and reads what it names: the text as it is now decides.
func (s *searching) ask() error {
	n := needles{s.q.Words.Needles(), s.user}
	before, limit := s.before, s.q.Limit+readThrough/10
	for len(s.found) < s.q.Limit {
		named, err := s.index.newest(s.reader, s.group, n, s.q.First, before, limit)
		if err != nil {
			return fmt.Errorf("ask the search index: %w", err)
		}
		if err := s.readNamed(named); err != nil {
			return err
		}
		if len(named) < limit {
			return nil
		}
		before = named[len(named)-1]
		limit = min(2*limit, maxAsked)
	}
	return nil
}

// readNamed reads messages that the index named. Those that changed since were looked at already.
func (s *searching) readNamed(seqs []chat.Seq) error {
	list, err := s.dialect.listOf(seqs)
	if err != nil || len(seqs) == 0 {
		return err
	}
	rows, err := collect(s.ctx, s.session, scanSpoken, `SELECT `+spokenColumns+` FROM messages
		WHERE seq IN (`+s.dialect.numbers+`) AND group_key = $2`, list, s.group)
	for _, m := range rows {
		if m.rev <= s.upTo && s.matches(&m) {
			s.found = append(s.found, m.seq)
		}
	}
	return err
}

func (s *searching) matches(m *spoken) bool {
	if s.user != 0 && m.user != s.user {
		return false
	}
	_, found := s.q.Words.Find(m.text)
	return found
}

// Holding leaves out groups that hold nothing: see chat.SearchReader.
func (r *reader) Holding(q chat.Search, ids []chat.GroupID) ([]chat.GroupID, error) {
	list, err := r.dialect.list(ids)
	if err != nil {
		return nil, err
	}
	groups, err := collect(r.ctx, r.session, scanCounters, `SELECT key, id, head, floor FROM groups WHERE id IN (`+r.dialect.elements+`)`, list)
	if err != nil {
		return nil, err
	}
	named, complete, err := r.index.holding(r, needles{words: q.Words.Needles()}, maxHolding)
	if err != nil || !complete {
		return ids, err
	}
	keys := make([]int64, len(groups))
	for i, g := range groups {
		keys[i] = g.key
	}
	known, err := r.index.progress(r, keys)
	if err != nil {
		return nil, err
	}
	may := map[chat.GroupID]bool{}
	for _, g := range groups {
		may[g.id] = known[g.key].rev < g.head || slices.Contains(named, g.key)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id chat.GroupID) bool { return !may[id] }), nil
}
