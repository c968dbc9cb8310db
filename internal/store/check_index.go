package store

import (
	"errors"
	"fmt"
	"hash/fnv"

	"qun/internal/chat"
)

// tally is what an index has of a group, whatever the order: how many words, and the sum of all their hashes.
type tally struct {
	words int64
	sum   uint64
}

func (t *tally) add(seq chat.Seq, word string) {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%d %s", seq, word)
	t.words++
	t.sum += hash.Sum64()
}

// archivedIndex is an index that is looked at.
type archivedIndex interface {
	// epoch names the life of the data it is of.
	epoch(c *check) (string, error)
	progress(c *check) (map[int64]progress, error)
	// each calls take with every word of every message.
	each(c *check, take func(group int64, seq chat.Seq, word string)) error
}

// index compares the words that the index has with those of the messages. What the index does not follow yet is left
// out on both sides.
func (c *check) index() error {
	x, err := c.openIndex()
	if err != nil || x == nil {
		return err
	}
	known, err := x.progress(c)
	if err != nil {
		return err
	}
	groups, err := collect(c.ctx, c.session, scanCounters, `SELECT key, id, head, floor FROM groups`)
	if err != nil {
		return err
	}
	s := &stocktaking{check: c, known: known, groups: map[int64]counters{}, open: map[int64]map[chat.Seq]bool{}}
	for _, g := range groups {
		s.groups[g.key] = g
	}
	return s.compare(x)
}

// openIndex is the index, or nil with a note why none is looked at.
func (c *check) openIndex() (archivedIndex, error) {
	if c.path == "" {
		return postgresArchive{}, nil
	}
	if c.search == nil {
		c.note("there is no search index yet: the server makes one when it starts")
		return nil, nil
	}
	ours, err := c.Epoch(c.ctx)
	if err != nil {
		return nil, err
	}
	theirs, err := c.search.epoch(c)
	if err != nil || ours != theirs {
		c.note("the search index is of another life of the data: the server makes a new one when it starts")
		return nil, nil
	}
	return c.search, nil
}

func (c *check) note(text string) { c.report.Notes = append(c.report.Notes, text) }

// stocktaking is a comparison on its way.
type stocktaking struct {
	*check
	known  map[int64]progress
	groups map[int64]counters
	open   map[int64]map[chat.Seq]bool // messages that changed since the index looked at them
}

const indexOutOfStep = "the search index of a group is not in step with its messages"

func (s *stocktaking) compare(x archivedIndex) error {
	for key, p := range s.known {
		g, there := s.groups[key]
		switch {
		case !there:
			if p.rev > 1 {
				s.find(indexOutOfStep, fmt.Sprintf("group's key %d, which is no group", key))
			}
		case p.rev > g.head || p.floor > g.floor:
			s.find(indexOutOfStep, fmt.Sprintf("group %s, followed up to %d of %d", g.id, p.rev, g.head))
		}
	}
	want, err := s.expected()
	if err != nil {
		return err
	}
	got := map[int64]*tally{}
	err = x.each(s.check, func(group int64, seq chat.Seq, word string) {
		if !s.leaves(group, seq) {
			entry(got, group).add(seq, word)
		}
	})
	if err != nil {
		return errors.Join(errors.New("read the words it has"), damage(err))
	}
	for key := range got {
		entry(want, key)
	}
	for key, w := range want {
		if g := entry(got, key); *g != *w {
			s.find(indexOutOfStep, fmt.Sprintf("group %s, it has %d words and should have %d", s.groups[key].id, g.words, w.words))
		}
	}
	return nil
}

func entry(all map[int64]*tally, group int64) *tally {
	t := all[group]
	if t == nil {
		t = new(tally)
		all[group] = t
	}
	return t
}

// leaves reports whether a message is left out: it changed since, or was erased since.
func (s *stocktaking) leaves(group int64, seq chat.Seq) bool {
	g, p := s.groups[group], s.known[group]
	return s.open[group][seq] || p.floor < g.floor && seq < g.floor
}

// expected are the words of the messages as far as the index follows.
func (s *stocktaking) expected() (map[int64]*tally, error) {
	want := map[int64]*tally{}
	_, err := collect(s.ctx, s.session, func(row scanner) (none struct{}, err error) {
		m, err := scanSpoken(row)
		if err != nil {
			return none, err
		}
		group, p := m.group, s.known[m.group]
		switch {
		case m.rev > p.rev && m.seq <= p.rev:
			if s.open[group] == nil {
				s.open[group] = map[chat.Seq]bool{}
			}
			s.open[group][m.seq] = true
		case m.rev <= p.rev && !s.leaves(group, m.seq):
			for _, word := range m.words(s.groups[group].floor) {
				entry(want, group).add(m.seq, word)
			}
		}
		return none, nil
	}, `SELECT `+spokenColumns+` FROM messages m`)
	return want, err
}
