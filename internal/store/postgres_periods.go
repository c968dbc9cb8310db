package store

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	"qun/internal/chat"
)

// period is a part of all time: from start on until the next one's.
type period struct {
	number int64
	start  chat.Time
}

// terms are words as they stand in the index. No word holds a slash.
func (p period) terms(words []string) string {
	prefix := strconv.FormatInt(p.number, 10) + "/"
	return prefix + strings.Join(words, " "+prefix)
}

// latest is the period that grows.
type latest struct {
	period
	messages int64     // that were put into it
	last     chat.Time // when the latest of all was sent
}

// holdPeriods keeps everybody else from writing terms and from adding and dropping periods, until the end of the transaction. It
// waits longer than for other locks: who makes the first periods looks through all messages.
func holdPeriods(ctx context.Context, s *session) error {
	if _, err := s.exec(ctx, `SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock($1)`, lockPeriods); err != nil {
		return err
	}
	_, err := s.exec(ctx, `SET LOCAL lock_timeout TO DEFAULT`)
	return err
}

// enter puts messages into periods, and says which these are, the earliest first. Another one begins where the latest is
// full, behind all that was sent so far: so no message has to move. Periods are locked. The messages are of a group that was
// followed up to a rev before.
func (x *postgresIndex) enter(ctx context.Context, s *session, group int64, rev chat.Seq, messages []indexed) ([]period, error) {
	var from, upTo chat.Time = math.MaxInt64, 0
	for _, m := range messages {
		from, upTo = min(from, m.at), max(upTo, m.at)
	}
	l, err := readLatest(ctx, s)
	if errors.Is(err, chat.ErrNotFound) || err == nil && len(messages) == indexBatch && upTo > l.last { // perhaps the index is far behind
		l, err = x.partAhead(ctx, s, group, rev)
	}
	if err != nil {
		return nil, err
	}
	if l.messages >= int64(x.period) && upTo > l.last {
		l = latest{period: period{l.number + 1, l.last + 1}}
	}
	for _, m := range messages {
		if m.at >= l.start {
			l.messages++
		}
	}
	_, err = s.exec(ctx, `INSERT INTO periods (number, start, messages, last) VALUES ($1, $2, $3, $4)
		ON CONFLICT (number) DO UPDATE SET messages = excluded.messages, last = excluded.last`, l.number, l.start, l.messages, max(l.last, upTo))
	if err != nil {
		return nil, err
	}
	return collect(ctx, s, func(s scanner) (p period, err error) { return p, s.Scan(&p.number, &p.start) },
		`SELECT number, start FROM periods WHERE start <= $2 AND start >= (SELECT MAX(start) FROM periods WHERE start <= $1) ORDER BY start`, from, upTo)
}

// partAhead makes the periods of what is not indexed yet and later than all that is: one in periodSample of the messages
// says where periods begin. Groups are followed one after the other, so the first one that is followed to its end would
// leave no moment at which a period may begin for all others. It returns the latest period.
func (x *postgresIndex) partAhead(ctx context.Context, s *session, group int64, rev chat.Seq) (l latest, err error) {
	if _, err := s.exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		return l, err
	}
	_, err = s.exec(ctx, `INSERT INTO periods (number, start, messages, last)
		SELECT (SELECT COALESCE(MAX(number), 0) FROM periods) + ROW_NUMBER() OVER (ORDER BY start), start, 0, start FROM (
			SELECT 0 AS start WHERE NOT EXISTS (SELECT 1 FROM periods) UNION
			SELECT sent_at FROM (
				SELECT m.sent_at, ROW_NUMBER() OVER (ORDER BY m.sent_at) AS n FROM (
					SELECT key, head, CASE WHEN key = $3 THEN $4 ELSE COALESCE(indexed.rev, 0) END AS rev FROM groups LEFT JOIN indexed ON group_key = key
				) AS g JOIN messages m ON m.group_key = g.key AND m.seq > g.rev
				WHERE g.head > g.rev AND (m.group_key + m.seq) % $1 = 0 AND m.sent_at > (SELECT COALESCE(MAX(last), 0) FROM periods)) AS sample
			WHERE n % $2 = 0) AS starts`, periodSample, max(x.period/periodSample, 1), group, rev)
	if err != nil {
		return l, err
	}
	return readLatest(ctx, s)
}

func readLatest(ctx context.Context, s *session) (l latest, err error) {
	err = s.row(ctx, `SELECT number, start, messages, last FROM periods ORDER BY start DESC LIMIT 1`, nil, &l.number, &l.start, &l.messages, &l.last)
	return l, err
}

// dropPeriod drops the earliest period but the first if it has no message: its time is the first one's then.
func dropPeriod(ctx context.Context, s *session) (dropped bool, err error) {
	gone, err := s.exec(ctx, `DELETE FROM periods WHERE number = (SELECT number FROM periods WHERE start > 0 ORDER BY start LIMIT 1)
		AND number < (SELECT MAX(number) FROM periods)
		AND NOT EXISTS (SELECT 1 FROM message_words WHERE terms @@ format('''%s/'':*', number)::tsquery)`)
	return gone > 0, err
}
