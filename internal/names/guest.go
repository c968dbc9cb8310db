package names

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// Suffix marks a guest whose name a member bears, or that imitates one. The server alone appends it.
	Suffix = "（访客）"

	suffixGraphemes = 4
	guestWord       = "访客"
)

// WithSuffix marks name as a guest's; the whole keeps to limit graphemes (0 for none).
func WithSuffix(name string, limit int) string {
	if limit > suffixGraphemes {
		name = cut(name, limit-suffixGraphemes)
	}
	return name + Suffix
}

// DefaultGuest is the name of a guest who gave none; n is any number, its last four digits show.
func DefaultGuest(n uint) string { return fmt.Sprintf("%s%04d", guestWord, n%10000) }

// Suggestion is the n-th name to try instead of a taken one, from 0; within limit graphemes (0 for none). It counts from
// 2: digits that look like letters would imitate again.
func Suggestion(name string, n, limit int) string {
	number := fmt.Sprint(n + 2)
	if limit > len(number) {
		name = cut(name, limit-len(number))
	}
	return name + number
}

// withoutSuffix cuts the guests' suffix off the end of name, in any width, brackets or spacing, as often as it is there.
func withoutSuffix(name string) string {
	for {
		rest, ok := cutGuestWord(name)
		if !ok {
			return name
		}
		name = rest
	}
}

// cutGuestWord cuts one 访客 (or 訪客) in brackets off the end of name.
func cutGuestWord(name string) (rest string, ok bool) {
	rest, closing := lastLetter(name)
	rest, second := lastLetter(rest)
	rest, first := lastLetter(rest)
	rest, opening := lastLetter(rest)
	if !unicode.In(closing, brackets...) || second != '客' || first != '访' && first != '訪' || !unicode.In(opening, brackets...) {
		return name, false
	}
	return strings.TrimSpace(rest), true
}

// brackets are all that may pass for a parenthesis: Ps, Pe, Pi, Pf and the signs < > |.
var brackets = []*unicode.RangeTable{unicode.Ps, unicode.Pe, unicode.Pi, unicode.Pf, {R16: []unicode.Range16{
	{Lo: '<', Hi: '<', Stride: 1}, {Lo: '>', Hi: '>', Stride: 1}, {Lo: '|', Hi: '|', Stride: 1},
}, LatinOffset: 3}}

// lastLetter takes the last rune off s that shows something, in its compatibility form.
func lastLetter(s string) (rest string, letter rune) {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		if unicode.IsSpace(r) || invisible(r) || r == zwj || r == zwnj || unicode.In(r, unicode.Mn) {
			continue
		}
		letter, _ = utf8.DecodeRuneInString(norm.NFKC.String(string(r)))
		return s, letter
	}
	return "", utf8.RuneError
}
