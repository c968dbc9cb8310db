package names

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

const (
	// maxTyped bounds, in bytes, what is looked at: more than the longest name there can be.
	maxTyped = 8 << 10
	// maxGrapheme bounds one grapheme, in bytes; the longest emoji in use has 35.
	maxGrapheme = 48
	// maxMarks is how many accents may stand on one letter (UTS #39, 5.4).
	maxMarks = 4

	zwnj         = '\u200c'
	zwj          = '\u200d'
	textStyle    = '\ufe0e'
	emojiStyle   = '\ufe0f'
	blackFlag    = '\U0001f3f4'
	tagFirst     = '\U000e0020'
	tagLast      = '\U000e007f'
	variantFirst = '\U000e0100'
	variantLast  = '\U000e01ef'
)

// clean takes out of s what must not be in a name: what is forbidden, what is invisible and does nothing, accents beyond
// maxMarks, and space at the ends. Joiners and variation selectors stay where they shape an emoji or a letter.
func clean(s string) string {
	s = bound(s)
	var out strings.Builder
	var last rune // the rune written before
	marks := 0
	for i, r := range s {
		switch {
		case forbidden(r), invisible(r):
			continue
		case r == zwj || r == zwnj:
			if !joins(last, r, s[i+len(string(r)):]) {
				continue
			}
		case r == textStyle || r == emojiStyle || r >= variantFirst && r <= variantLast:
			if !styles(last, r) {
				continue
			}
		case r >= tagFirst && r <= tagLast:
			if last != blackFlag && (last < tagFirst || last >= tagLast) {
				continue
			}
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > maxMarks {
				continue
			}
		default:
			marks = 0
		}
		out.WriteRune(r)
		last = r
	}
	return strings.TrimSpace(out.String())
}

// bound cuts s to maxTyped bytes of valid UTF-8.
func bound(s string) string {
	if len(s) > maxTyped {
		s = s[:maxTyped]
	}
	return strings.ToValidUTF8(s, "")
}

// forbidden reports whether r is a control, turns the direction of what stands around it, breaks the line, or is no
// character at all.
func forbidden(r rune) bool {
	switch {
	case unicode.IsControl(r),
		r >= '\u202a' && r <= '\u202e', // bidi embeddings and overrides
		r >= '\u2066' && r <= '\u2069', // bidi isolates
		r == '\u2028', r == '\u2029':
		return true
	}
	return r&0xfffe == 0xfffe || r >= '\ufdd0' && r <= '\ufdef'
}

// invisible reports whether r shows nothing and shapes nothing in a name (after Default_Ignorable_Code_Point, with the
// blanks that are called letters; without what clean looks at itself).
func invisible(r rune) bool {
	switch {
	case r == '\u00ad', r == '\u034f', r == '\u061c',
		r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0', // Hangul fillers
		r == '\u17b4', r == '\u17b5', r == '\u2800', // Khmer inherent vowels, Braille blank
		r >= '\u180b' && r <= '\u180f', // Mongolian selectors
		r == '\u200b', r == '\u200e', r == '\u200f',
		r >= '\u2060' && r <= '\u206f',
		r >= '\ufe00' && r < textStyle,
		r == '\ufeff', r >= '\ufff0' && r <= '\ufffb',
		r >= '\U0001d173' && r <= '\U0001d17a':
		return true
	}
	ignorable := r >= '\U000e0000' && r <= '\U000e0fff'
	return ignorable && (r < tagFirst || r > tagLast) && (r < variantFirst || r > variantLast)
}

// joiningScripts are those in which a joiner changes how the letters around it look.
var joiningScripts = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
	unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar,
}

// joins reports whether a joiner between last and rest does something: it ties pictographs to one emoji, or shapes
// letters of a script that knows it.
func joins(last, joiner rune, rest string) bool {
	var next rune
	for _, next = range rest {
		break
	}
	if joiner == zwj && (pictograph(last) || last == emojiStyle) && pictograph(next) {
		return true
	}
	return unicode.In(last, joiningScripts...) && unicode.In(next, joiningScripts...)
}

// styles reports whether a variation selector after last does something.
func styles(last, selector rune) bool {
	if selector >= variantFirst {
		return unicode.Is(unicode.Han, last)
	}
	switch last {
	case '#', '*', '\u203c', '\u2049', '\u2139', '\u24c2', '\u3030': // keycaps, and the emoji that are no symbols
		return true
	}
	return pictograph(last) || last >= '0' && last <= '9' || unicode.Is(unicode.Sm, last)
}

// pictograph reports whether r may be part of an emoji. The planes of emoji grow each year: all of them count.
func pictograph(r rune) bool {
	return r >= '\U0001f000' && r <= '\U0001faff' || r == '↔' || unicode.Is(unicode.So, r)
}

// cut keeps the first limit graphemes of s (0: all of them); a grapheme that is a monster of its own is left out.
func cut(s string, limit int) string {
	var out strings.Builder
	kept, state := 0, -1
	for s != "" && (limit == 0 || kept < limit) {
		var grapheme string
		grapheme, s, _, state = uniseg.FirstGraphemeClusterInString(s, state)
		if len(grapheme) > maxGrapheme {
			continue
		}
		out.WriteString(grapheme)
		kept++
	}
	return strings.TrimSpace(out.String())
}

// Graphemes counts what a reader sees as characters.
func Graphemes(s string) int { return uniseg.GraphemeClusterCount(s) }
