package words

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxWord cuts words, in code points: what is longer is no word, and an index keeps its beginning.
const maxWord = 64

// piece is what search sees of a text: a word, or one character of a dense script.
type piece struct {
	text     string // folded
	from, to int    // in the text as it is, in code points
	dense    bool   // a character of a script without spaces
	joined   bool   // nothing is between it and the dense one before
}

// split cuts a text into its pieces.
func split(text string) []piece {
	s := splitter{pieces: make([]piece, 0, len(text)/6+1)}
	for i := 0; i < len(text); {
		if isPlain(text, i) {
			s.plain(text[i])
			i++
			continue
		}
		n := norm.NFKC.NextBoundaryInString(text[i:], true)
		s.segment(text[i : i+n])
		i += n
	}
	s.end()
	return s.pieces
}

// isPlain reports whether an ASCII character stands at i, with no mark to be put on it.
func isPlain(text string, i int) bool {
	return text[i] < utf8.RuneSelf && (i+1 == len(text) || text[i+1] < utf8.RuneSelf)
}

// splitter is a text on its way.
type splitter struct {
	pieces []piece
	at     int    // code points before what comes next
	word   []byte // folded, of the word that has not ended
	runes  int    // of word
	from   int    // of word
	dense  bool   // the character before was dense
}

func (s *splitter) plain(c byte) {
	switch {
	case 'A' <= c && c <= 'Z':
		s.letter(rune(c-'A'+'a'), s.at)
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		s.letter(rune(c), s.at)
	case c != '\'': // don't is one word
		s.end()
	}
	s.at++
}

// segment takes characters that are folded as one.
func (s *splitter) segment(text string) {
	from := s.at
	s.at += utf8.RuneCountInString(text)
	for _, r := range fold(text) {
		switch {
		case unicode.In(r, denseScripts...):
			s.single(r, from, true)
		case unicode.IsLetter(r), unicode.IsNumber(r):
			s.letter(r, from)
		case unicode.IsMark(r):
			s.mark(r)
		case unicode.Is(unicode.So, r):
			s.single(r, from, false)
		case r != '\'' && r != '’':
			s.endAt(from)
		}
	}
}

func (s *splitter) letter(r rune, from int) {
	s.dense = false
	if s.runes == 0 {
		s.from = from
	}
	if s.runes < maxWord {
		s.word = utf8.AppendRune(s.word, r)
	}
	s.runes++
}

// mark is a vowel sign and the like: part of the letter before it.
func (s *splitter) mark(r rune) {
	if s.runes > 0 {
		s.letter(r, s.from)
	}
}

// single is a character that is a piece by itself.
func (s *splitter) single(r rune, from int, dense bool) {
	joined := dense && s.dense && s.runes == 0
	s.endAt(from)
	s.pieces = append(s.pieces, piece{text: string(r), from: from, to: s.at, dense: dense, joined: joined})
	s.dense = dense
}

func (s *splitter) end() { s.endAt(s.at) }

// endAt ends the word, if there is one; one of a single sign, such as ㎏, has its length.
func (s *splitter) endAt(to int) {
	if s.runes > 0 {
		if to <= s.from {
			to = s.at
		}
		s.pieces = append(s.pieces, piece{text: string(s.word), from: s.from, to: to})
		s.word, s.runes = s.word[:0], 0
	}
	s.dense = false
}

// denseScripts are written without spaces, or with words that grow at their ends.
var denseScripts = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
	{R16: []unicode.Range16{{Lo: 'ー', Hi: 'ー', Stride: 1}}}, // long vowels of Katakana; every script's, says Unicode
}

// fold makes characters alike that are one to a reader: compatibility forms, case, diacritics.
func fold(text string) string {
	if r, n := utf8.DecodeRuneInString(text); n == len(text) && unicode.Is(unicode.Han, r) && norm.NFKC.IsNormalString(text) {
		return text // the most frequent ones, and nothing to do
	}
	apart := norm.NFD.String(cases.Fold().String(norm.NFKC.String(text)))
	plain := make([]rune, 0, len(apart))
	for _, r := range apart {
		if r < '\u0300' || r > '\u036f' {
			plain = append(plain, r)
		}
	}
	return norm.NFC.String(string(plain))
}
