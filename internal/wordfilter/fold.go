package wordfilter

import "unicode"

// fold appends the runes of text as they are compared.
func fold(runes []rune, text string) []rune {
	for _, r := range text {
		switch {
		case r < 0x80:
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
		case 0x3400 <= r && r <= 0x9FFF, 0xAC00 <= r && r <= 0xD7A3: // Chinese characters and Korean syllables: as they are
		case 0xFF01 <= r && r <= 0xFF5E: // full width
			r -= 0xFF01 - '!'
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
		case r == 0x3000: // the full-width space
			r = ' '
		case ignored(r):
			continue
		default:
			r = unicode.ToLower(r)
		}
		runes = append(runes, r)
	}
	return runes
}

// ignored holds for what shows nothing, and for marks by which letters are only adorned.
func ignored(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me) || r == 0x034F || r == 0x115F || r == 0x1160 || r == 0x3164
}

// unspaced are the scripts that put no spaces between words.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan}

// spaced holds for letters and digits of words that spaces part.
func spaced(r rune) bool {
	if r < 0x80 {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unspaced...)
}
