package store

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"qun/internal/chat"
)

// postgresIndex is an index in the chat's own database, so that every node has it: a message's words as a tsvector, in a
// GIN index. That gathers all that have a word before it hands out the first. So time is parted in periods, and a word
// stands behind the number of its message's: a search asks period after period, the latest first. The group is a word,
// too: what is asked of one group is cut with it inside the index.
type postgresIndex struct {
	// Set once.
	sessions    *pool
	period      int // after how many messages another one begins
	looks       int // bounds how many messages that have the words a page looks at, in whatever group
	reach       int // bounds how many periods a page asks
	fewGroups   int // or fewer are told apart inside the index; of more, each message that is found is looked at
	fewMessages int // or fewer are gone through, whatever their words

	// Owned by the indexer.
	stale bool // messages were dropped, and the earliest periods may have none
}

func newPostgresIndex(sessions *pool) *postgresIndex {
	return &postgresIndex{
		sessions: sessions, period: periodSize, looks: periodLooks, reach: periodReach, fewGroups: fewGroups, fewMessages: fewMessages, stale: true,
	}
}

const (
	// periodSize is a period's messages, more or less: few enough to gather a word that each of them has, many enough that
	// going through all periods for one that nobody has is quick.
	periodSize = 8192
	// periodSample is of how many messages one says where periods begin, when the index is made of what was written long ago.
	periodSample = 64
	// periodLooks and periodReach are how many messages a page looks at and how many periods it asks: some milliseconds.
	periodLooks = 2500
	periodReach = 256
	// fewGroups cost a search of each period less than to look at each message that is found elsewhere.
	fewGroups = 8
	// fewMessages are gone through sooner than all periods are asked for a frequent word.
	fewMessages = 3000
)

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
		if len(messages) == 0 {
			return nil
		}
		if err := holdPeriods(ctx, s); err != nil {
			return fmt.Errorf("wait for other nodes: %w", err)
		}
		periods, err := x.enter(ctx, s, group, from.rev, messages)
		if err != nil {
			return fmt.Errorf("part the time: %w", err)
		}
		return writeTerms(ctx, s, group, periods, messages)
	})
}

func writeTerms(ctx context.Context, s *session, group int64, periods []period, messages []indexed) error {
	var silent, seqs, times []int64
	var texts []string
	for _, m := range messages {
		if len(m.words) == 0 {
			silent = append(silent, int64(m.seq))
			continue
		}
		seqs, times = append(seqs, int64(m.seq)), append(times, int64(m.at))
		after := slices.IndexFunc(periods, func(p period) bool { return p.start > m.at })
		if after < 0 {
			after = len(periods)
		}
		texts = append(texts, periods[after-1].terms(append(m.words, groupWord(group))))
	}
	if len(silent) > 0 {
		if _, err := s.exec(ctx, `DELETE FROM message_words WHERE group_key = $1 AND seq = ANY($2::bigint[])`, group, silent); err != nil {
			return fmt.Errorf("drop words of messages: %w", err)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	_, err := s.exec(ctx, `INSERT INTO message_words (group_key, seq, sent_at, terms)
		SELECT $1, seq, sent_at, array_to_tsvector(string_to_array(terms, ' ')) FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS a (seq, sent_at, terms)
		ON CONFLICT (group_key, seq) DO UPDATE SET terms = excluded.terms`, group, seqs, times, texts)
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
	x.stale = x.stale || n > 0
	return n, err
}

// tidy drops a period that retention has emptied. All else autovacuum does.
func (x *postgresIndex) tidy(ctx context.Context) (more bool, err error) {
	if !x.stale {
		return false, nil
	}
	err = x.write(ctx, func(s *session) (err error) {
		if err = holdPeriods(ctx, s); err == nil {
			more, err = dropPeriod(ctx, s)
		}
		return err
	})
	x.stale = more || err != nil
	return more, err
}

func (x *postgresIndex) clear(ctx context.Context) error {
	return x.write(ctx, func(s *session) error {
		_, err := s.exec(ctx, `TRUNCATE message_words, periods, indexed`)
		return err
	})
}

// walk asks for some messages and then for more at a time. It tires at the end of a moment alone: the next page goes on
// before it.
func (x *postgresIndex) walk(r *reader, groups map[int64]*searched, n needles, upTo chat.Time, some int, take func([]moment, chat.Time) (bool, error)) (down chat.Time, more bool, err error) {
	w := &postgresWalk{postgresIndex: x, r: r, groups: slices.Collect(maps.Keys(groups)), before: moment{at: upTo, group: math.MaxInt64}}
	w.gathered, w.beside = x.gather(groups, n.terms())
	for looks := 2 * some; !w.tired || w.before.at == upTo; looks *= 8 {
		named, more, err := w.ask(some, max(some, min(looks, x.looks-w.looked)))
		if err != nil {
			return 0, false, err
		}
		wanted, err := take(named, w.before.at)
		if err != nil || !wanted || !more {
			return w.before.at, more, err
		}
		some = min(4*some, 1000)
	}
	return w.before.at, true, nil
}

// gather parts a query in what the index itself is asked of a period, and what is looked for in the messages it has.
func (x *postgresIndex) gather(groups map[int64]*searched, query string) (gathered string, beside *string) {
	if len(groups) > x.fewGroups {
		return query, nil
	}
	var theirs []string
	for key := range groups {
		theirs = append(theirs, term(groupWord(key)))
	}
	ofGroups := `(` + strings.Join(theirs, ` | `) + `)`
	if messages(groups) <= x.fewMessages {
		return ofGroups, &query
	}
	return ofGroups + ` & ` + query, nil
}

// postgresWalk is a walk on its way.
type postgresWalk struct {
	*postgresIndex
	r        *reader
	groups   []int64
	gathered string  // what the index is asked of a period
	beside   *string // what a message must have beside; nil: nothing
	before   moment  // what is not before it was looked at
	looked   int     // messages that have all that, in whatever group
	tired    bool    // enough was looked at, or asked
}

// ask names the next messages of the groups, at most limit of them, and looks at so many of whatever group for them.
// PostgreSQL asks one period after the other, the latest first, and ends where it has enough. What is not false is no
// question to an index.
func (w *postgresWalk) ask(limit, looks int) (named []moment, more bool, err error) {
	var looked int
	var last moment
	var asked chat.Time
	_, err = collect(w.r.ctx, w.r.session, func(s scanner) (m moment, err error) {
		var isNamed bool
		if err = s.Scan(&m.at, &m.group, &m.seq, &isNamed, &looked, &asked); isNamed {
			named = append(named, m)
		} else {
			last = m
		}
		return m, err
	}, `WITH asked AS MATERIALIZED (SELECT start, replace($1, '#', number::text)::tsquery AS gathered, replace($2, '#', number::text)::tsquery AS beside
			FROM periods WHERE start <= $4 ORDER BY start DESC LIMIT $9),
		looked AS MATERIALIZED (SELECT of_period.* FROM asked CROSS JOIN LATERAL (SELECT sent_at, group_key, seq FROM message_words
			WHERE terms @@ gathered AND (terms @@ beside) IS NOT FALSE AND (sent_at, group_key, seq) < ($4, $5, $6)
			ORDER BY sent_at DESC, group_key DESC, seq DESC) AS of_period LIMIT $7)
		(SELECT sent_at, group_key, seq, TRUE, 0, 0 FROM looked WHERE group_key IN (SELECT unnest($3::bigint[]))
			ORDER BY sent_at DESC, group_key DESC, seq DESC LIMIT $8)
		UNION ALL
		SELECT COALESCE(sent_at, 0), COALESCE(group_key, 0), COALESCE(seq, 0), FALSE, n, first
			FROM (SELECT COUNT(*) AS n, (SELECT COALESCE(MIN(start), 0) FROM asked) AS first FROM looked) AS counts
			LEFT JOIN (SELECT * FROM looked ORDER BY sent_at, group_key, seq LIMIT 1) AS last ON TRUE`,
		w.gathered, w.beside, w.groups, w.before.at, w.before.group, w.before.seq, looks, limit, w.reach)
	w.looked += looked
	w.tired = w.looked >= w.looks
	switch {
	case err != nil:
		return nil, false, err
	case len(named) == limit:
		w.before = named[limit-1]
	case looked == looks:
		w.before = last
	default:
		w.before, w.tired = moment{at: asked}, true
	}
	return named, w.before != moment{}, nil
}

// term is a word in a query of a period, whose number comes in the place of #. No needle holds that, a quote or a backslash.
func term(word string) string { return `'#/` + word + `'` }

// terms is what PostgreSQL is asked of a period.
func (n needles) terms() string {
	var terms []string
	for _, w := range n.words {
		t := term(w.Word)
		if w.Begins {
			t += `:*`
		}
		terms = append(terms, t)
	}
	if n.user != 0 {
		terms = append(terms, term(senderWord(n.user)))
	}
	return strings.Join(terms, " & ")
}

// postgresArchive is an index that is looked at.
type postgresArchive struct{}

func (postgresArchive) epoch(c *check) (string, error) { return c.Epoch(c.ctx) }

func (postgresArchive) progress(c *check) (map[int64]progress, error) {
	return readProgress(c.ctx, c.session, nil)
}

// each leaves the period away where it is the right one.
func (postgresArchive) each(c *check, take func(int64, chat.Seq, string)) error {
	_, err := collect(c.ctx, c.session, func(s scanner) (none struct{}, err error) {
		var group int64
		var seq chat.Seq
		var list, number string
		if err = s.Scan(&group, &seq, &list, &number); err != nil {
			return none, err
		}
		for _, term := range strings.Fields(list) {
			if word := strings.TrimPrefix(term, number+"/"); word != groupWord(group) {
				take(group, seq, word)
			}
		}
		return none, nil
	}, `SELECT w.group_key, w.seq, array_to_string(tsvector_to_array(w.terms), ' '),
			COALESCE((SELECT number::text FROM periods WHERE start <= m.sent_at ORDER BY start DESC LIMIT 1), '')
		FROM message_words w LEFT JOIN messages m ON m.group_key = w.group_key AND m.seq = w.seq`)
	return err
}
