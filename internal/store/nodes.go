package store

import (
	"context"
	"fmt"
	"hash/fnv"

	"qun/internal/chat"
)

func (r *reader) UserHeads(ids []chat.UserID) (map[chat.UserID]chat.Seq, error) {
	return headsOf(r, `SELECT id, head FROM users WHERE id IN (`+r.dialect.elements+`)`, ids)
}

// headsOf reads the counters of those ids that there are.
func headsOf[ID ~string](r *reader, query string, ids []ID) (map[ID]chat.Seq, error) {
	list, err := r.dialect.list(texts(ids))
	if err != nil {
		return nil, err
	}
	heads := make(map[ID]chat.Seq, len(ids))
	_, err = collect(r.ctx, r.session, func(s scanner) (struct{}, error) {
		var id ID
		var head chat.Seq
		err := s.Scan(&id, &head)
		heads[id] = head
		return struct{}{}, err
	}, query, list)
	return heads, err
}

// Elsewhere is a mark that is another whenever somebody else has written: see chat.NodeStore.
func (s *Store) Elsewhere(ctx context.Context) (mark string, err error) {
	if s.dialect.alone {
		return "", nil
	}
	names := make([]string, len(s.writers))
	for i, w := range s.writers {
		names[i] = *w.name.Load()
	}
	err = s.view(ctx, func(r *reader) error {
		return r.row(`SELECT COUNT(*) || '/' || COALESCE(SUM(batch), 0) FROM writers WHERE id <> ALL($1)`, []any{names}, &mark)
	})
	return mark, err
}

// Exclusive runs do while nobody else, here or on another node, runs what has that name, and reports whether it did: who
// comes second does nothing. Should the database be lost meanwhile, another may begin before do has ended.
func (s *Store) Exclusive(ctx context.Context, name string, do func(context.Context) error) (did bool, err error) {
	if s.dialect.alone {
		return true, do(ctx)
	}
	session, err := newSession(ctx, s.dialect, s.db)
	if err != nil {
		return false, fmt.Errorf("%s alone: %w", name, s.dialect.explain(err))
	}
	defer session.close() // which lets go of the lock; what it says is of no use to anybody
	if err := session.row(ctx, `SELECT pg_try_advisory_lock($1, $2)`, []any{lockExclusive, int32(hashName(name))}, &did); err != nil {
		return false, fmt.Errorf("%s alone: %w", name, s.dialect.explain(err))
	}
	if !did {
		return false, nil
	}
	defer func() { // at once, and not when the server has noticed that the session ended
		ctx, cancel := s.dialect.patient()
		defer cancel()
		_, _ = session.exec(ctx, `SELECT pg_advisory_unlock($1, $2)`, lockExclusive, int32(hashName(name))) // else it is that
	}()
	return true, do(ctx)
}

func hashName(name string) uint32 {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return hash.Sum32()
}
