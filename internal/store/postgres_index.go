package store

import (
	"context"
	"fmt"
	"math"
	"strings"

	"qun/internal/chat"
)

// postgresIndex is an index in the chat's own database, so that every node has it: a message's words as a tsvector, in a
// GIN index. The group is a word, too: what is asked of one group is cut with it inside the index.
type postgresIndex struct {
	sessions  *pool
	step, far int // how many messages a search goes through at once by time, and in all
}

func (x *postgresIndex) close() error { return nil } // the sessions are the readers'

func (x *postgresIndex) progress(r *reader, groups []int64) (map[int64]progress, error) {
	return readProgress(r.ctx, r.session, groups)
}

// write runs do in a transaction.
func (x *postgresIndex) write(ctx context.Context, do func(*session) error) error {
	return x.sessions.use(ctx, func(s *session) error {
		if err := s.finish(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		err := do(s)
		if err == nil {
			err = s.finish(`COMMIT`)
		}
		if err == nil {
			return nil
		}
		if end := s.finish(sqlRollback); end != nil {
			s.broken = true
		}
		return err
	})
}

// absorb moves the progress first: the row is the lock of those who follow a group.
func (x *postgresIndex) absorb(ctx context.Context, group int64, from, to progress, messages []indexed) error {
	return x.write(ctx, func(s *session) error {
		moved, err := s.exec(ctx, `INSERT INTO indexed (group_key, rev, floor) VALUES ($1, $2, $3)
			ON CONFLICT (group_key) DO UPDATE SET rev = excluded.rev, floor = excluded.floor WHERE indexed.rev = $4 AND indexed.floor = $5`,
			group, to.rev, to.floor, from.rev, from.floor)
		if err != nil {
			return err
		}
		if moved == 0 {
			return errOvertaken
		}
		return writeWords(ctx, s, group, messages)
	})
}

func writeWords(ctx context.Context, s *session, group int64, messages []indexed) error {
	var silent, seqs, times []int64
	var texts []string
	for _, m := range messages {
		if len(m.words) == 0 {
			silent = append(silent, int64(m.seq))
			continue
		}
		seqs, times = append(seqs, int64(m.seq)), append(times, int64(m.at))
		texts = append(texts, strings.Join(append(m.words, groupWord(group)), " "))
	}
	if len(silent) > 0 {
		if _, err := s.exec(ctx, `DELETE FROM message_words WHERE group_key = $1 AND seq = ANY($2::bigint[])`, group, silent); err != nil {
			return fmt.Errorf("drop words of messages: %w", err)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	_, err := s.exec(ctx, `INSERT INTO message_words (group_key, seq, sent_at, words)
		SELECT $1, seq, sent_at, array_to_tsvector(string_to_array(words, ' ')) FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS a (seq, sent_at, words)
		ON CONFLICT (group_key, seq) DO UPDATE SET words = excluded.words`, group, seqs, times, texts)
	if err != nil {
		return fmt.Errorf("write words of messages: %w", err)
	}
	return nil
}

func (x *postgresIndex) forget(ctx context.Context, group int64, before chat.Seq, limit int) (n int, err error) {
	err = x.write(ctx, func(s *session) error {
		gone, err := s.exec(ctx, `DELETE FROM message_words WHERE group_key = $1 AND seq IN
			(SELECT seq FROM message_words WHERE group_key = $1 AND seq < $2 ORDER BY seq LIMIT $3)`, group, before, limit)
		n = int(gone)
		return err
	})
	return n, err
}

// tidy leaves it to the server, whose autovacuum does it.
func (x *postgresIndex) tidy(context.Context) (more bool, err error) { return false, nil }

func (x *postgresIndex) clear(ctx context.Context) error {
	return x.write(ctx, func(s *session) error {
		_, err := s.exec(ctx, `TRUNCATE message_words, indexed`)
		return err
	})
}

const (
	// walkStep is how many messages are gone through at once, by time, and walkFar how many in all. A word that is in more
	// than one of rareBelow of them is gone on for: the index of words would have to gather too many.
	walkStep  = 2000
	walkFar   = 12_000
	rareBelow = 150
)

// walk goes back through the newest, and asks the index of words for the rest when the words are rare, or far away.
func (x *postgresIndex) walk(r *reader, groups []int64, n needles, upTo chat.Time, some int, take func([]moment, chat.Time) (bool, error)) (down chat.Time, more bool, err error) {
	w := &postgresWalk{r: r, size: x.step, query: n.tsquery(), groups: groups, before: moment{at: upTo, group: math.MaxInt64}, take: take}
	for looked := 0; looked < x.far; looked += x.step {
		had, more, err := w.step()
		if err != nil || !more || had == 0 {
			return w.before.at, !more, err
		}
		if had*rareBelow < x.step {
			break
		}
	}
	for limit := some; ; limit = min(4*limit, 1000) {
		named, more, err := w.ask(limit)
		if err != nil || !more || named < limit {
			return w.before.at, !more, err
		}
	}
}

// postgresWalk is a walk on its way.
type postgresWalk struct {
	r      *reader
	size   int // of a step
	query  string
	groups []int64
	before moment // what is not before it was named
	take   func([]moment, chat.Time) (bool, error)
}

// where is what is looked at: of one group only that one's.
func (w *postgresWalk) where() (where string, groups any) {
	if len(w.groups) == 1 {
		return `group_key = $2`, w.groups[0]
	}
	return `TRUE`, w.groups
}

// step goes through the next messages by time. had says how many had the needles, in whatever group; 0 with no more before.
func (w *postgresWalk) step() (had int, more bool, err error) {
	where, groups := w.where()
	mine := `group_key = ANY($2::bigint[])`
	if len(w.groups) == 1 {
		mine = where
	}
	var named []moment
	looked := 0
	_, err = collect(w.r.ctx, w.r.session, func(s scanner) (m moment, err error) {
		var isNamed bool
		if err = s.Scan(&m.at, &m.group, &m.seq, &isNamed, &had, &looked); isNamed {
			named = append(named, m)
		} else {
			w.before = m
		}
		return m, err
	}, `WITH newest AS MATERIALIZED (SELECT sent_at, group_key, seq, words @@ $1::tsquery AS had FROM message_words
			WHERE `+where+` AND (sent_at, group_key, seq) < ($3, $4, $5) ORDER BY sent_at DESC, group_key DESC, seq DESC LIMIT $6),
		counts AS MATERIALIZED (SELECT COUNT(*) FILTER (WHERE had) AS had, COUNT(*) AS looked FROM newest)
		SELECT sent_at, group_key, seq, TRUE, counts.had, counts.looked FROM newest, counts WHERE newest.had AND `+mine+`
		UNION ALL
		(SELECT sent_at, group_key, seq, FALSE, counts.had, counts.looked FROM newest, counts ORDER BY sent_at, group_key, seq LIMIT 1)`,
		w.query, groups, w.before.at, w.before.group, w.before.seq, w.size)
	if err != nil || looked == 0 {
		return 0, true, err
	}
	if more, err = w.take(named, w.before.at); looked < w.size {
		had = 0
	} else {
		had = max(had, 1)
	}
	return had, more, err
}

// ask asks the index of words first, whatever the planner thinks, and sorts what it has.
func (w *postgresWalk) ask(limit int) (named int, more bool, err error) {
	query := w.query
	if len(w.groups) == 1 {
		query += ` & '` + groupWord(w.groups[0]) + `'`
	}
	found, err := collect(w.r.ctx, w.r.session, func(s scanner) (m moment, err error) {
		err = s.Scan(&m.at, &m.group, &m.seq)
		return m, err
	}, `WITH found AS MATERIALIZED (SELECT sent_at, group_key, seq FROM message_words WHERE words @@ $1::tsquery)
		SELECT sent_at, group_key, seq FROM found WHERE group_key = ANY($2::bigint[])
			AND (sent_at, group_key, seq) < ($3, $4, $5) ORDER BY sent_at DESC, group_key DESC, seq DESC LIMIT $6`,
		query, w.groups, w.before.at, w.before.group, w.before.seq, limit)
	if err != nil || len(found) == 0 {
		return 0, true, err
	}
	w.before = found[len(found)-1]
	more, err = w.take(found, w.before.at)
	return len(found), more, err
}

// tsquery is what PostgreSQL is asked. No needle holds a quote or a backslash.
func (n needles) tsquery() string {
	var terms []string
	for _, w := range n.words {
		term := `'` + w.Word + `'`
		if w.Begins {
			term += `:*`
		}
		terms = append(terms, term)
	}
	if n.user != 0 {
		terms = append(terms, `'`+senderWord(n.user)+`'`)
	}
	return strings.Join(terms, " & ")
}

// postgresArchive is an index that is looked at.
type postgresArchive struct{}

func (postgresArchive) epoch(c *check) (string, error) { return c.Epoch(c.ctx) }

func (postgresArchive) progress(c *check) (map[int64]progress, error) {
	return readProgress(c.ctx, c.session, nil)
}

func (postgresArchive) each(c *check, take func(int64, chat.Seq, string)) error {
	_, err := collect(c.ctx, c.session, func(s scanner) (none struct{}, err error) {
		var group int64
		var seq chat.Seq
		var list string
		if err = s.Scan(&group, &seq, &list); err != nil {
			return none, err
		}
		for _, word := range strings.Fields(list) {
			if word != groupWord(group) {
				take(group, seq, word)
			}
		}
		return none, nil
	}, `SELECT group_key, seq, array_to_string(tsvector_to_array(words), ' ') FROM message_words`)
	return err
}
