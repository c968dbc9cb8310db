package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// maxEmoji bounds an emoji, in bytes.
const maxEmoji = 32

const (
	keycap        = '\u20e3'
	toneFirst     = '\U0001f3fb'
	toneLast      = '\U0001f3ff'
	regionFirst   = '\U0001f1e6'
	regionLast    = '\U0001f1ff'
	tagEnd        = '\U000e007f'
	keycapLetters = "0123456789#*"
)

// Emoji is how one emoji is written, and whether text is one: a pictograph with its skin tone, several joined by ZWJ, a
// flag or a keycap (UTS #51), in one grapheme of at most 32 bytes. One that needs emojiStyle to be drawn in colour has it
// then, so that it is the same emoji whether the keyboard wrote that or not.
func Emoji(text string) (emoji string, ok bool) {
	if text == "" || len(text) > maxEmoji || !utf8.ValidString(text) || uniseg.GraphemeClusterCount(text) != 1 {
		return "", false
	}
	runes := []rune(text)
	switch first := runes[0]; {
	case strings.ContainsRune(keycapLetters, first):
		return string([]rune{first, emojiStyle, keycap}), text == string([]rune{first, keycap}) || text == string([]rune{first, emojiStyle, keycap})
	case isRegion(first):
		return text, len(runes) == 2 && isRegion(runes[1])
	}
	if len(runes) == 1 && unicode.Is(pictographs, runes[0]) && !unicode.Is(colourful, runes[0]) {
		runes = append(runes, emojiStyle)
	}
	emoji = string(runes)
	return emoji, len(emoji) <= maxEmoji && joined(runes)
}

func isRegion(r rune) bool { return r >= regionFirst && r <= regionLast }

// joined reports whether runes are pictographs, each with what may follow it, with a ZWJ between any two.
func joined(runes []rune) bool {
	for len(runes) > 0 {
		if !unicode.Is(pictographs, runes[0]) {
			return false
		}
		runes = afterPictograph(runes)
		if len(runes) == 0 {
			return true
		}
		if runes[0] != zwj {
			return false
		}
		runes = runes[1:]
	}
	return false // nothing, or nothing after a joiner
}

// afterPictograph is what follows the first pictograph and its style or skin tone, or the tags of a flag.
func afterPictograph(runes []rune) []rune {
	first, rest := runes[0], runes[1:]
	if len(rest) > 0 && (rest[0] == emojiStyle || rest[0] >= toneFirst && rest[0] <= toneLast) {
		return rest[1:]
	}
	if first != blackFlag {
		return rest
	}
	n := 0
	for n < len(rest) && rest[n] >= tagFirst && rest[n] < tagEnd {
		n++
	}
	if n > 0 && n < len(rest) && rest[n] == tagEnd {
		return rest[n+1:]
	}
	return rest
}
