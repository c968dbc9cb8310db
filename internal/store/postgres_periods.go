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

// holdPeriods keeps everybody else from writing terms and from adding and dropping periods, until the end of the transaction.
func holdPeriods(ctx context.Context, s *session) error {
	_, err := s.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockPeriods)
	return err
}

// enter puts messages into periods, and says which these are, the earliest first. Another one begins where the latest is
// full, behind all that was sent so far: so no message has to move. Periods are locked.
func (x *postgresIndex) enter(ctx context.Context, s *session, messages []indexed) ([]period, error) {
	l, err := x.latest(ctx, s)
	if err != nil {
		return nil, err
	}
	var from, upTo chat.Time = math.MaxInt64, 0
	for _, m := range messages {
		from, upTo = min(from, m.at), max(upTo, m.at)
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

// latest reads the latest period, and makes the first ones when there are none.
func (x *postgresIndex) latest(ctx context.Context, s *session) (l latest, err error) {
	read := func() error {
		return s.row(ctx, `SELECT number, start, messages, last FROM periods ORDER BY start DESC LIMIT 1`, nil, &l.number, &l.start, &l.messages, &l.last)
	}
	if err = read(); errors.Is(err, chat.ErrNotFound) {
		if err = x.partTime(ctx, s); err == nil {
			err = read()
		}
	}
	return l, err
}

// partTime makes the first periods, of the messages there are: one in periodSample of them says where periods begin.
func (x *postgresIndex) partTime(ctx context.Context, s *session) error {
	if _, err := s.exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO periods (number, start, messages, last)
		SELECT ROW_NUMBER() OVER (ORDER BY start), start, 0, start FROM (
			SELECT 0 AS start UNION
			SELECT sent_at FROM (SELECT sent_at, ROW_NUMBER() OVER (ORDER BY sent_at) AS n FROM messages WHERE (group_key + seq) % $1 = 0) AS sample
			WHERE n % $2 = 0) AS starts`, periodSample, max(x.period/periodSample, 1))
	return err
}

// dropPeriod drops the earliest period but the first if it has no message: its time is the first one's then.
func dropPeriod(ctx context.Context, s *session) (dropped bool, err error) {
	gone, err := s.exec(ctx, `DELETE FROM periods WHERE number = (SELECT number FROM periods WHERE start > 0 ORDER BY start LIMIT 1)
		AND number < (SELECT MAX(number) FROM periods)
		AND NOT EXISTS (SELECT 1 FROM message_words WHERE terms @@ format('''%s/'':*', number)::tsquery)`)
	return gone > 0, err
}
