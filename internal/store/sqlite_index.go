package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"qun/internal/chat"
)

const (
	// searchName is the file of the index. It is beside the chat's own file and not in it: so the index has its own writer,
	// its own journal and its own, weaker promise (what a power cut takes from it is indexed again), and a commit of
	// messages never waits for it.
	searchName = "search.index"
	// searchVersion is of its tables; an index of another version is made anew.
	searchVersion = 2
	// seqBits is how much of a row's number is the message's seq; the group's key is before it. So the messages of a group
	// are a range, in their order.
	seqBits = 36
)

// searchTables keep, for a message, only which words it has: not where, and not the text.
const searchTables = `
	CREATE TABLE life (epoch TEXT NOT NULL) STRICT;
	CREATE TABLE indexed (group_key INTEGER PRIMARY KEY, rev INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
	CREATE VIRTUAL TABLE words USING fts5(word, content='', contentless_delete=1, detail='none', tokenize='ascii');
	CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);`

// sqliteIndex is an index in a SQLite file, by FTS5. Words come cut already: the tokenizer only parts them at spaces.
type sqliteIndex struct {
	db      *sql.DB
	writer  *session
	readers *pool
}

// openSQLiteIndex opens the index of a life of the data, and makes it when it is not there or not of that life.
func openSQLiteIndex(ctx context.Context, path, epoch string) (*sqliteIndex, error) {
	db, err := connectIndex(ctx, path, epoch)
	if err != nil {
		for _, of := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + of); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, fmt.Errorf("drop an old search index: %w", err)
			}
		}
		if db, err = makeIndex(ctx, path, epoch); err != nil {
			return nil, fmt.Errorf("make a search index: %w", err)
		}
	}
	writer, err := newSession(ctx, sqliteDialect, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the search index: %w", err), db.Close())
	}
	return &sqliteIndex{db: db, writer: writer, readers: newPool(sqliteDialect, db, readerCount())}, nil
}

// connectIndex opens an index that is whole and of this version and life.
func connectIndex(ctx context.Context, path, epoch string) (*sql.DB, error) {
	db, err := openIndex(ctx, path)
	if err != nil {
		return nil, err
	}
	var version int
	var of string
	err = errors.Join(db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version), db.QueryRowContext(ctx, `SELECT epoch FROM life`).Scan(&of))
	if err == nil && (version != searchVersion || of != epoch) {
		err = errors.New("it is of another life")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func makeIndex(ctx context.Context, path, epoch string) (*sql.DB, error) {
	db, err := openIndex(ctx, path)
	if err != nil {
		return nil, err
	}
	for _, how := range []string{searchTables, fmt.Sprintf(`PRAGMA user_version = %d`, searchVersion)} {
		if _, err := db.ExecContext(ctx, how); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO life (epoch) VALUES ($1)`, epoch); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func openIndex(ctx context.Context, path string) (*sql.DB, error) {
	return connect(ctx, path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(4000)", "temp_store(MEMORY)", "cache_size(-4096)")
}

func (x *sqliteIndex) close() error {
	return errors.Join(x.readers.close(), x.writer.close(), x.db.Close())
}

func rowOf(group int64, seq chat.Seq) int64 { return group<<seqBits | int64(seq) }

func (x *sqliteIndex) progress(r *reader, groups []int64) (all map[int64]progress, err error) {
	err = x.readers.use(r.ctx, func(s *session) error {
		all, err = readProgress(r.ctx, s, groups)
		return err
	})
	return all, err
}

// readProgress reads how far groups are followed; nil: all.
func readProgress(ctx context.Context, s *session, groups []int64) (map[int64]progress, error) {
	query, args := `SELECT group_key, rev, floor FROM indexed`, []any(nil)
	if groups != nil {
		list, err := s.dialect.listOf(groups)
		if err != nil {
			return nil, err
		}
		query, args = query+` WHERE group_key IN (`+s.dialect.numbers+`)`, []any{list}
	}
	all := map[int64]progress{}
	_, err := collect(ctx, s, func(s scanner) (p progress, err error) {
		var group int64
		err = s.Scan(&group, &p.rev, &p.floor)
		all[group] = p
		return p, err
	}, query, args...)
	return all, err
}

// write runs do in a transaction of the one writer.
func (x *sqliteIndex) write(do func() error) error {
	if err := x.writer.finish(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := do()
	if err == nil {
		err = x.writer.finish(`COMMIT`)
	}
	if err != nil {
		return errors.Join(err, x.writer.finish(sqlRollback))
	}
	return nil
}

func (x *sqliteIndex) absorb(ctx context.Context, group int64, _, to progress, messages []indexed) error {
	return x.write(func() error {
		for _, m := range messages {
			row := rowOf(group, m.seq)
			if _, err := x.writer.exec(ctx, `DELETE FROM words WHERE rowid = $1`, row); err != nil {
				return fmt.Errorf("drop the words of a message: %w", err)
			}
			if len(m.words) == 0 {
				continue
			}
			if _, err := x.writer.exec(ctx, `INSERT INTO words (rowid, word) VALUES ($1, $2)`, row, strings.Join(m.words, " ")); err != nil {
				return fmt.Errorf("write the words of a message: %w", err)
			}
		}
		_, err := x.writer.exec(ctx, `INSERT INTO indexed (group_key, rev, floor) VALUES ($1, $2, $3)
			ON CONFLICT (group_key) DO UPDATE SET rev = excluded.rev, floor = excluded.floor`, group, to.rev, to.floor)
		return err
	})
}

func (x *sqliteIndex) forget(ctx context.Context, group int64, before chat.Seq, limit int) (n int, err error) {
	err = x.write(func() error {
		gone, err := x.writer.exec(ctx, `DELETE FROM words WHERE rowid IN (SELECT rowid FROM words WHERE rowid >= $1 AND rowid < $2 LIMIT $3)`,
			rowOf(group, 0), rowOf(group, before), limit)
		n = int(gone)
		return err
	})
	return n, err
}

func (x *sqliteIndex) clear(ctx context.Context) error {
	return x.write(func() error {
		for _, how := range []string{`DELETE FROM words`, `DELETE FROM indexed`} {
			if _, err := x.writer.exec(ctx, how); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *sqliteIndex) newest(r *reader, group int64, n needles, from, before chat.Seq, limit int) (seqs []chat.Seq, err error) {
	err = x.readers.use(r.ctx, func(s *session) error {
		match, err := x.match(r, s, n)
		if err != nil {
			return err
		}
		seqs, err = collect(r.ctx, s, func(s scanner) (chat.Seq, error) {
			var row int64
			err := s.Scan(&row)
			return chat.Seq(row & (1<<seqBits - 1)), err
		}, `SELECT rowid FROM words WHERE words MATCH $1 AND rowid >= $2 AND rowid < $3 ORDER BY rowid DESC LIMIT $4`,
			match, rowOf(group, from), rowOf(group, before), limit)
		return err
	})
	return seqs, err
}

func (x *sqliteIndex) holding(r *reader, n needles, limit int) (groups []int64, complete bool, err error) {
	err = x.readers.use(r.ctx, func(s *session) error {
		match, err := x.match(r, s, n)
		if err != nil {
			return err
		}
		seen := 0
		groups = groups[:0]
		_, err = collect(r.ctx, s, func(s scanner) (row int64, err error) {
			err = s.Scan(&row)
			if seen++; seen == 1 || groups[len(groups)-1] != row>>seqBits {
				groups = append(groups, row>>seqBits)
			}
			return row, err
		}, `SELECT rowid FROM words WHERE words MATCH $1 ORDER BY rowid LIMIT $2`, match, limit)
		complete = seen < limit
		return err
	})
	return groups, complete, err
}

// maxExpanded is how many words a beginning is replaced by.
const maxExpanded = 64

// match is what FTS5 is asked. Of a beginning FTS5 would gather every message of every group each time; words it finds
// where they are. So a beginning is replaced by the words there are, once for all groups that are searched in a view.
// No needle holds a quote.
func (x *sqliteIndex) match(r *reader, s *session, n needles) (string, error) {
	var terms []string
	for _, w := range n.words {
		if !w.Begins {
			terms = append(terms, `"`+w.Word+`"`)
			continue
		}
		known, err := x.expand(r, s, w.Word)
		if err != nil {
			return "", err
		}
		terms = append(terms, known)
	}
	if n.user != 0 {
		terms = append(terms, `"`+senderWord(n.user)+`"`)
	}
	return strings.Join(terms, " AND "), nil
}

// expand is a term for all words with a beginning.
func (x *sqliteIndex) expand(r *reader, s *session, beginning string) (string, error) {
	if known, ok := r.expanded[beginning]; ok {
		return known, nil
	}
	found, err := collect(r.ctx, s, func(s scanner) (word string, err error) {
		err = s.Scan(&word)
		return word, err
	}, `SELECT term FROM vocabulary WHERE term >= $1 AND term < $2 LIMIT $3`, beginning, beginning+"\U0010ffff", maxExpanded+1)
	if err != nil {
		return "", err
	}
	term := `"` + beginning + `"*`
	if 0 < len(found) && len(found) <= maxExpanded {
		term = `("` + strings.Join(found, `" OR "`) + `")`
	}
	if r.expanded == nil {
		r.expanded = map[string]string{}
	}
	r.expanded[beginning] = term
	return term, nil
}

// sqliteArchive is the file of an index that is looked at.
type sqliteArchive struct {
	db *sql.DB
	*session
}

// openSearchArchive opens the file of an index; nil if there is none.
func openSearchArchive(ctx context.Context, path string) (*sqliteArchive, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	db, err := connect(ctx, path, "busy_timeout(10000)", "temp_store(MEMORY)")
	if err != nil {
		return nil, fmt.Errorf("open the search index: %w", damage(err))
	}
	s, err := newSession(ctx, sqliteDialect, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &sqliteArchive{db, s}, nil
}

func (a *sqliteArchive) close() error { return errors.Join(a.session.close(), a.db.Close()) }

func (a *sqliteArchive) epoch(c *check) (epoch string, err error) {
	err = a.row(c.ctx, `SELECT epoch FROM life`, nil, &epoch)
	return epoch, err
}

func (a *sqliteArchive) progress(c *check) (map[int64]progress, error) {
	if _, err := a.exec(c.ctx, `BEGIN`); err != nil { // what follows is of one moment
		return nil, err
	}
	return readProgress(c.ctx, a.session, nil)
}

// each reads FTS5's own list of the words it has. The list is a table of this connection alone.
func (a *sqliteArchive) each(c *check, take func(int64, chat.Seq, string)) error {
	if _, err := a.exec(c.ctx, `CREATE VIRTUAL TABLE temp.kept USING fts5vocab(main, words, instance)`); err != nil {
		return err
	}
	_, err := collect(c.ctx, a.session, func(s scanner) (none struct{}, err error) {
		var row int64
		var word string
		if err = s.Scan(&row, &word); err == nil {
			take(row>>seqBits, chat.Seq(row&(1<<seqBits-1)), word)
		}
		return none, err
	}, `SELECT doc, term FROM temp.kept`)
	return err
}
