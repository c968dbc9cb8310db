package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"qun/internal/chat"
	"qun/internal/words"
)

const (
	// searchName is the file of the index. It is beside the chat's own file and not in it: so the index has its own writer,
	// its own journal and its own, weaker promise (what a power cut takes from it is indexed again), and a commit of
	// messages never waits for it.
	searchName = "search.index"
	// searchVersion is of its tables; an index of another version is made anew.
	searchVersion = 5
	// maxLooks is how many rows a page of a search looks at: about 4 ms.
	maxLooks = 10_000
	// maxCut is how many messages of a group FTS5 goes through for a word that is not among them: about 1 ms.
	maxCut = 40_000
)

// searchTables keep, for a message, only which words it has: not where, and not the text. A message is a row, and rows are
// in the order of time, so that the latest that have a word are found first: see rowOf. The vocabulary has the words that
// are found by how they begin: FTS5 has them too, but goes through all that have a word to tell of it. It may hold too much.
const searchTables = `
	CREATE TABLE life (epoch TEXT NOT NULL) STRICT;
	CREATE TABLE indexed (group_key INTEGER PRIMARY KEY, rev INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
	CREATE VIRTUAL TABLE words USING fts5(word, content='', contentless_delete=1, detail='none', tokenize='ascii');
	INSERT INTO words (words, rank) VALUES ('usermerge', 2);
	CREATE TABLE vocabulary (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
	CREATE TABLE places (
		group_key INTEGER NOT NULL, seq INTEGER NOT NULL, row INTEGER NOT NULL UNIQUE, PRIMARY KEY (group_key, seq)
	) STRICT, WITHOUT ROWID;`

// A row's number: when the message was sent, in 41 bits of milliseconds since 2020; of its group the last 10 bits of the key,
// so that most of what is of other groups is passed over without looking it up; and 12 bits that part what is alike in both.
const (
	placeBits = 12
	slotBits  = 10
	momentLen = 1 << (slotBits + placeBits) // rows of one moment
	firstTime = chat.Time(1_577_836_800_000)
	lastTime  = firstTime + 1<<41 - 1
)

// rowOf is the first row of a group at a moment. What is out of bounds is put at their ends.
func rowOf(at chat.Time, group int64) int64 {
	return int64(min(max(at, firstTime), lastTime)-firstTime)*momentLen | slotOf(group)<<placeBits
}

// rowAfter is the first row after a moment.
func rowAfter(at chat.Time) int64 {
	if at >= lastTime {
		return math.MaxInt64
	}
	return rowOf(max(at, firstTime)+1, 0)
}

func slotOf(group int64) int64 { return group & (1<<slotBits - 1) }

// timeOf is when the message of a row was sent.
func timeOf(row int64) chat.Time { return firstTime + chat.Time(row/momentLen) }

// sqliteIndex is an index in a SQLite file, by FTS5. Words come cut already: the tokenizer only parts them at spaces.
type sqliteIndex struct {
	db          *sql.DB
	writer      *session
	readers     *pool
	looks       int // bounds how many rows a page looks at
	fewMessages int // a group of so many or fewer is asked for as a word; of one of more, each row that is found is looked at

	// Owned by the indexer.
	known  map[string]bool // words that the vocabulary has; not all of them
	stale  bool            // messages were dropped, and their words stay in the vocabulary
	pruned string          // up to which word that was looked after
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
	return &sqliteIndex{db: db, writer: writer, readers: newPool(sqliteDialect, db, readerCount()), looks: maxLooks, fewMessages: maxCut, known: map[string]bool{}, stale: true}, nil
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
	unknown := x.unknown(messages)
	err := x.write(func() error {
		for _, m := range messages {
			if err := x.put(ctx, &m); err != nil {
				return err
			}
		}
		list, err := jsonList(unknown)
		if err == nil && len(unknown) > 0 {
			_, err = x.writer.exec(ctx, `INSERT OR IGNORE INTO vocabulary (word) SELECT value FROM json_each($1)`, list)
		}
		if err != nil {
			return fmt.Errorf("write the vocabulary: %w", err)
		}
		_, err = x.writer.exec(ctx, `INSERT INTO indexed (group_key, rev, floor) VALUES ($1, $2, $3)
			ON CONFLICT (group_key) DO UPDATE SET rev = excluded.rev, floor = excluded.floor`, group, to.rev, to.floor)
		return err
	})
	if err == nil {
		x.learn(unknown)
	}
	return err
}

// maxKnown bounds the words that are remembered; one that is not is offered to the vocabulary again.
const maxKnown = 1 << 16

// unknown are words of messages that the vocabulary may not have, each once.
func (x *sqliteIndex) unknown(messages []indexed) (list []string) {
	for _, m := range messages {
		for _, w := range m.words {
			if !x.known[w] && words.FoundByBeginning(w) {
				list = append(list, w)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (x *sqliteIndex) learn(list []string) {
	if len(x.known)+len(list) > maxKnown {
		clear(x.known)
	}
	for _, w := range list {
		x.known[w] = true
	}
}

// put replaces the words of a message.
func (x *sqliteIndex) put(ctx context.Context, m *indexed) error {
	var row int64
	err := x.writer.row(ctx, `SELECT row FROM places WHERE group_key = $1 AND seq = $2`, []any{m.group, m.seq}, &row)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return fmt.Errorf("find a message: %w", err)
	}
	if err == nil {
		x.drop()
		if _, err := x.writer.exec(ctx, `DELETE FROM words WHERE rowid = $1`, row); err != nil {
			return fmt.Errorf("drop the words of a message: %w", err)
		}
	}
	if len(m.words) == 0 {
		return nil
	}
	if err != nil {
		if row, err = x.place(ctx, m); err != nil {
			return fmt.Errorf("find a place for a message: %w", err)
		}
	}
	_, err = x.writer.exec(ctx, `INSERT INTO words (rowid, word) VALUES ($1, $2)`, row, strings.Join(append(m.words, groupWord(m.group)), " "))
	if err != nil {
		return fmt.Errorf("write the words of a message: %w", err)
	}
	return nil
}

// place gives a message a row.
func (x *sqliteIndex) place(ctx context.Context, m *indexed) (row int64, err error) {
	first := rowOf(m.at, m.group)
	end := first + 1<<placeBits
	err = x.writer.row(ctx, `SELECT COALESCE(MAX(row) + 1, $1) FROM places WHERE row >= $1 AND row < $2`, []any{first, end}, &row)
	if err == nil && row == end {
		err = fmt.Errorf("%d messages of a group have one time: is the clock standing still?", 1<<placeBits)
	}
	if err == nil {
		_, err = x.writer.exec(ctx, `INSERT INTO places (group_key, seq, row) VALUES ($1, $2, $3)`, m.group, m.seq, row)
	}
	return row, err
}

func (x *sqliteIndex) forget(ctx context.Context, group int64, before chat.Seq, limit int) (n int, err error) {
	err = x.write(func() error {
		gone, err := collect(ctx, x.writer, func(s scanner) (row int64, err error) { return row, s.Scan(&row) },
			`DELETE FROM places WHERE group_key = $1 AND seq IN
				(SELECT seq FROM places WHERE group_key = $1 AND seq < $2 ORDER BY seq LIMIT $3) RETURNING row`, group, before, limit)
		if err != nil {
			return err
		}
		n = len(gone)
		if n > 0 {
			x.drop()
		}
		list, err := jsonList(gone)
		if err != nil {
			return err
		}
		_, err = x.writer.exec(ctx, `DELETE FROM words WHERE rowid IN (SELECT value FROM json_each($1))`, list)
		return err
	})
	return n, err
}

// mergePages is how many pages of the index are merged at once: a few milliseconds.
const mergePages = 500

// tidy merges the trees of which FTS5's index consists: each transaction leaves one, and a search looks into all of them.
// FTS5 merges two of a size into one of the next, so what is written again and again grows with the logarithm of the whole.
func (x *sqliteIndex) tidy(ctx context.Context) (more bool, err error) {
	var before, after int64
	err = x.write(func() error {
		const count = `SELECT total_changes()`
		if err := x.writer.row(ctx, count, nil, &before); err != nil {
			return err
		}
		if _, err := x.writer.exec(ctx, `INSERT INTO words (words, rank) VALUES ('merge', $1)`, mergePages); err != nil {
			return err
		}
		return x.writer.row(ctx, count, nil, &after)
	})
	if more = after > before+1; more || err != nil || !x.stale { // the statement itself is counted
		return more, err
	}
	return true, x.prune(ctx)
}

// drop notes that a message leaves words behind.
func (x *sqliteIndex) drop() { x.stale, x.pruned = true, "" }

// pruneWords is how many words are looked after at once.
const pruneWords = 200

// prune takes words out of the vocabulary that no message has any more, for who recalls a message wants its words gone.
func (x *sqliteIndex) prune(ctx context.Context) error {
	var some, gone []string
	scan := func(s scanner) (word string, err error) { return word, s.Scan(&word) }
	err := x.write(func() (err error) {
		some, err = collect(ctx, x.writer, scan, `SELECT word FROM vocabulary WHERE word > $1 ORDER BY word LIMIT $2`, x.pruned, pruneWords)
		if err != nil {
			return err
		}
		for _, word := range some {
			var row int64
			err := x.writer.row(ctx, `SELECT rowid FROM words WHERE words MATCH $1 LIMIT 1`, []any{`"` + word + `"`}, &row)
			if errors.Is(err, chat.ErrNotFound) {
				gone = append(gone, word)
			} else if err != nil {
				return err
			}
		}
		list, err := jsonList(gone)
		if err == nil && len(gone) > 0 {
			_, err = x.writer.exec(ctx, `DELETE FROM vocabulary WHERE word IN (SELECT value FROM json_each($1))`, list)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("prune the vocabulary: %w", err)
	}
	for _, word := range gone {
		delete(x.known, word)
	}
	if x.pruned = ""; len(some) == pruneWords {
		x.pruned = some[len(some)-1]
	} else {
		x.stale = false
	}
	return nil
}

func (x *sqliteIndex) clear(ctx context.Context) error {
	clear(x.known)
	return x.write(func() error {
		for _, how := range []string{`DELETE FROM words`, `DELETE FROM vocabulary`, `DELETE FROM places`, `DELETE FROM indexed`} {
			if _, err := x.writer.exec(ctx, how); err != nil {
				return err
			}
		}
		return nil
	})
}

// walk goes through the rows that have the needles, the latest first.
func (x *sqliteIndex) walk(r *reader, groups map[int64]*searched, n needles, upTo chat.Time, some int, take func([]moment, chat.Time) (bool, error)) (down chat.Time, more bool, err error) {
	err = x.readers.use(r.ctx, func(s *session) error {
		match, err := x.match(r, s, groups, n)
		if err != nil {
			return err
		}
		w := sqliteWalk{sqliteIndex: x, r: r, s: s, some: some, take: take, groups: groups}
		for key := range groups {
			w.slots[slotOf(key)] = true
		}
		err = each(r.ctx, s, w.look, `SELECT rowid FROM words WHERE words MATCH $1 AND rowid < $2 ORDER BY rowid DESC`,
			match, rowAfter(upTo))
		if err == nil && !w.full {
			err = w.name()
		}
		down, more = w.down, w.full || w.tired
		return err
	})
	return down, more, err
}

// sqliteWalk is a walk on its way.
type sqliteWalk struct {
	*sqliteIndex
	r      *reader
	s      *session
	some   int
	take   func([]moment, chat.Time) (bool, error)
	groups map[int64]*searched
	slots  [1 << slotBits]bool

	looked int
	rows   []int64 // of mine, or of whose key ends alike; not named yet
	down   chat.Time
	full   bool // take wants no more
	tired  bool // much was looked at
}

// look looks at one row.
func (w *sqliteWalk) look(s scanner) (more bool, err error) {
	var row int64
	if err := s.Scan(&row); err != nil {
		return false, err
	}
	at := timeOf(row)
	if w.looked++; w.looked > w.looks && at < w.down {
		w.down, w.tired = at, true
		return false, nil
	}
	w.down = at
	if !w.slots[row>>placeBits&(1<<slotBits-1)] {
		return true, nil
	}
	if w.rows = append(w.rows, row); len(w.rows) == w.some {
		w.some = min(4*w.some, 1000)
		err = w.name()
	}
	return !w.full, err
}

// name looks up which messages the rows are, and hands those on that are mine.
func (w *sqliteWalk) name() error {
	list, err := jsonList(w.rows)
	if err != nil || len(w.rows) == 0 {
		return err
	}
	w.rows = w.rows[:0]
	found, err := collect(w.r.ctx, w.s, func(s scanner) (m moment, err error) {
		var row int64
		err = s.Scan(&row, &m.group, &m.seq)
		m.at = timeOf(row)
		return m, err
	}, `SELECT row, group_key, seq FROM places WHERE row IN (SELECT value FROM json_each($1))`, list)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(m moment) bool { return w.groups[m.group] == nil })
	more, err := w.take(found, w.down)
	w.full = !more
	return err
}

// maxExpanded is how many words a beginning is replaced by.
const maxExpanded = 250

// match is what FTS5 is asked. Of a beginning FTS5 would first gather every message there is; words it finds one after the
// other. So a beginning is replaced by the words there are. No needle holds a quote.
func (x *sqliteIndex) match(r *reader, s *session, groups map[int64]*searched, n needles) (string, error) {
	var terms []string
	for _, w := range n.words {
		term := `"` + w.Word + `"`
		if w.Begins {
			var err error
			if term, err = x.expand(r, s, w.Word); err != nil {
				return "", err
			}
		}
		terms = append(terms, term)
	}
	if n.user != 0 {
		terms = append(terms, `"`+senderWord(n.user)+`"`)
	}
	if len(groups) == 1 && messages(groups) <= x.fewMessages {
		for key := range groups {
			terms = append(terms, `"`+groupWord(key)+`"`)
		}
	}
	return strings.Join(terms, " AND "), nil
}

// expand is a term for all words with a beginning.
func (x *sqliteIndex) expand(r *reader, s *session, beginning string) (string, error) {
	found, err := collect(r.ctx, s, func(s scanner) (word string, err error) {
		err = s.Scan(&word)
		return word, err
	}, `SELECT word FROM vocabulary WHERE word >= $1 AND word < $2 LIMIT $3`, beginning, beginning+"\U0010ffff", maxExpanded+1)
	if err != nil {
		return "", err
	}
	if 0 < len(found) && len(found) <= maxExpanded {
		return `("` + strings.Join(found, `" OR "`) + `")`, nil
	}
	return `"` + beginning + `"*`, nil
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
		var group int64
		var seq chat.Seq
		var word string
		if err = s.Scan(&group, &seq, &word); err == nil && word != groupWord(group) {
			take(group, seq, word)
		}
		return none, err
	}, `SELECT COALESCE(p.group_key, 0), COALESCE(p.seq, 0), k.term FROM temp.kept k LEFT JOIN places p ON p.row = k.doc`)
	return err
}
