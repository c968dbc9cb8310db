// Package wordfilter finds unwanted words in a text: all of a list at once, in one pass, whatever its length.
//
// Words and texts are compared folded: without case, without the full and half widths of East Asian typing, and without
// the characters that show nothing. A word of a script that puts spaces between words (Latin, Cyrillic, Greek …) is
// found as a whole word only, so that nobody is refused a class for what is in it; one of a script that does not
// (Chinese, Japanese, Thai …) is found anywhere.
package wordfilter

import (
	"slices"
)

// Filter is a list of words as an automaton (Aho and Corasick). It never changes, and may be used by any number of
// goroutines. A nil Filter finds nothing.
type Filter struct {
	words  []string
	nodes  []node
	starts [1 << 16 / 64]uint64 // which runes a word may begin with, by their lower 16 bits
}

// node is what has been read of some words. Node 0 has read nothing.
type node struct {
	next   []edge // by rune
	fail   int32  // the longest ending of this that some word begins with
	word   int32  // the word that ends here, or -1
	inside int32  // the nearest node along fail at which a word ends, or -1
	length int32  // runes read
}

type edge struct {
	rune rune
	to   int32
}

// New makes a filter of words. Those that fold to nothing are left out.
func New(words []string) *Filter {
	f := &Filter{nodes: []node{{word: -1, inside: -1}}}
	for _, w := range words {
		f.add(w)
	}
	f.link()
	return f
}

func (f *Filter) add(word string) {
	at := int32(0)
	for _, r := range fold(nil, word) {
		at = f.step(at, r)
	}
	if at != 0 && f.nodes[at].word < 0 {
		f.nodes[at].word = int32(len(f.words))
		f.words = append(f.words, word)
	}
}

// step is the node behind at by r, which is made if it is not there.
func (f *Filter) step(at int32, r rune) int32 {
	i, there := f.find(at, r)
	if there {
		return f.nodes[at].next[i].to
	}
	if at == 0 {
		f.starts[uint16(r)/64] |= 1 << (uint16(r) % 64)
	}
	made := int32(len(f.nodes))
	f.nodes = append(f.nodes, node{word: -1, inside: -1, length: f.nodes[at].length + 1})
	f.nodes[at].next = slices.Insert(f.nodes[at].next, i, edge{r, made})
	return made
}

func (f *Filter) find(at int32, r rune) (i int, there bool) {
	return slices.BinarySearchFunc(f.nodes[at].next, r, func(e edge, r rune) int { return int(e.rune - r) })
}

// link finds for each node where to go on when the next rune does not fit, the short ones first.
func (f *Filter) link() {
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, e := range f.nodes[at].next {
			if at != 0 {
				f.nodes[e.to].fail = f.move(f.nodes[at].fail, e.rune)
			}
			fail := &f.nodes[f.nodes[e.to].fail]
			f.nodes[e.to].inside = fail.inside
			if fail.word >= 0 {
				f.nodes[e.to].inside = f.nodes[e.to].fail
			}
			queue = append(queue, e.to)
		}
	}
}

// move is where the automaton is after r.
func (f *Filter) move(at int32, r rune) int32 {
	for {
		if at == 0 && f.starts[uint16(r)/64]>>(uint16(r)%64)&1 == 0 {
			return 0
		}
		if i, there := f.find(at, r); there {
			return f.nodes[at].next[i].to
		}
		if at == 0 {
			return 0
		}
		at = f.nodes[at].fail
	}
}

// Find returns a word of the list that text holds, as the list has it.
func (f *Filter) Find(text string) (word string, found bool) {
	if f == nil || len(f.words) == 0 {
		return "", false
	}
	var room [512]rune // most texts are shorter
	runes := fold(room[:0], text)
	at := int32(0)
	for i, r := range runes {
		at = f.move(at, r)
		for end := f.ending(at); end >= 0; end = f.nodes[end].inside {
			if n := &f.nodes[end]; stands(runes, i+1-int(n.length), i+1) {
				return f.words[n.word], true
			}
		}
	}
	return "", false
}

// ending is the longest word that ends where the automaton is; -1 for none.
func (f *Filter) ending(at int32) int32 {
	if f.nodes[at].word >= 0 {
		return at
	}
	return f.nodes[at].inside
}

// stands reports whether runes[from:to] is no piece of a longer word.
func stands(runes []rune, from, to int) bool {
	return !(from > 0 && spaced(runes[from-1]) && spaced(runes[from])) &&
		!(to < len(runes) && spaced(runes[to-1]) && spaced(runes[to]))
}
