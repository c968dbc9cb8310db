package words

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// minPrefix is from how many letters on a word is found by how it begins.
	minPrefix = 3
	// maxNeedles bounds what an index is asked for; what it then finds is read in any case.
	maxNeedles = 8
	// maxMarks bounds how many places in a text are shown.
	maxMarks = 32
)

// Query is what somebody looks for: a text holds all its terms, or is not found.
type Query struct {
	terms []term
}

// term is a word, or characters of a dense script in a row.
type term struct {
	text   []string // of a word, one
	dense  bool
	begins bool   // longer words that begin so are found, too
	root   string // of a word with other forms: how all of them begin
	stem   string
}

// Parse reads what somebody typed. There are no operators: quotes, stars and words like NOT are nothing special.
func Parse(text string) Query {
	var q Query
	for _, p := range split(text) {
		if last := len(q.terms) - 1; p.joined {
			q.terms[last].text = append(q.terms[last].text, p.text)
			continue
		}
		q.terms = append(q.terms, newTerm(p))
	}
	return q
}

func newTerm(p piece) term {
	t := term{text: []string{p.text}, dense: p.dense}
	if !p.dense && utf8.RuneCountInString(p.text) >= minPrefix {
		t.begins = true
		t.root, t.stem = root(p.text), stem(p.text)
	}
	return t
}

// Empty reports whether there is nothing to look for.
func (q Query) Empty() bool { return len(q.terms) == 0 }

// Needle is a word that an index must have for a text (see Of); with Begins, any that begins so.
type Needle struct {
	Word   string
	Begins bool
}

// FoundByBeginning reports whether a needle that Begins may be meant to find a word of an index.
func FoundByBeginning(word string) bool { return utf8.RuneCountInString(word) >= minPrefix }

// Needles are words that every text that is found has all of. A text that has them need not be found: ask Find.
func (q Query) Needles() []Needle {
	var all []Needle
	for _, t := range q.terms {
		all = append(all, t.needles()...)
	}
	return all[:min(len(all), maxNeedles)]
}

func (t *term) needles() (all []Needle) {
	switch {
	case t.root != "":
		return []Needle{{t.root, true}}
	case t.begins || len(t.text) == 1:
		return []Needle{{t.text[0], t.begins}}
	}
	for i := 0; i+2 < len(t.text); i += 2 {
		all = append(all, Needle{t.text[i] + t.text[i+1], false})
	}
	last := len(t.text) - 2
	return append(all, Needle{t.text[last] + t.text[last+1], false})
}

// Mark is a place in a text: from which code point on, and how many.
type Mark [2]int

// Find reports whether a text holds everything that is looked for, and where, in order and without overlaps.
func (q Query) Find(text string) (marks []Mark, found bool) {
	if q.Empty() {
		return nil, false
	}
	pieces := split(text)
	for _, t := range q.terms {
		before := len(marks)
		for i := range pieces {
			if n := t.at(pieces[i:]); n > 0 {
				marks = append(marks, Mark{pieces[i].from, pieces[i+n-1].to})
			}
		}
		if len(marks) == before {
			return nil, false
		}
	}
	return tidy(marks), true
}

// at is how many pieces the term takes where they begin; 0: it does not stand there.
func (t *term) at(pieces []piece) int {
	if !t.dense {
		if t.is(pieces[0]) {
			return 1
		}
		return 0
	}
	if len(pieces) < len(t.text) {
		return 0
	}
	for i, text := range t.text {
		if pieces[i].text != text || i > 0 && !pieces[i].joined {
			return 0
		}
	}
	return len(t.text)
}

// is reports whether p is the term's word, begins with it, or is another form of it.
func (t *term) is(p piece) bool {
	switch {
	case !t.begins:
		return p.text == t.text[0]
	case strings.HasPrefix(p.text, t.text[0]):
		return true
	}
	return t.root != "" && strings.HasPrefix(p.text, t.root) && stem(p.text) == t.stem
}

// tidy makes marks of ends: sorted, those that touch as one, each with its length.
func tidy(marks []Mark) []Mark {
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(b[1], a[1])) })
	apart := marks[:1]
	for _, m := range marks[1:] {
		if last := &apart[len(apart)-1]; m[0] <= last[1] {
			last[1] = max(last[1], m[1])
			continue
		}
		apart = append(apart, m)
	}
	apart = apart[:min(len(apart), maxMarks)]
	for i := range apart {
		apart[i][1] -= apart[i][0]
	}
	return apart
}
