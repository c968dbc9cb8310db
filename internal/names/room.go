package names

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Room checks the address of a room: shown is how it is written, key what it is found by. limit is in graphemes, 0 for
// none. An over-long name is refused, not cut: cut, it would be the address of another room.
func Room(typed string, limit int) (shown, key string, err error) {
	typed = strings.TrimSpace(typed)
	if len(typed) > maxTyped {
		return "", "", ErrTooLong
	}
	if strings.ContainsFunc(typed, forbidden) {
		return "", "", ErrForbidden
	}
	shown = clean(typed)
	if shown == "" {
		return "", "", ErrEmpty
	}
	if limit > 0 && Graphemes(shown) > limit || cut(shown, 0) != shown {
		return "", "", ErrTooLong
	}
	return shown, fold(shown), nil
}

// Fold is how a name is looked for: names that differ in case, width or composition only, or in what nobody sees, are one.
func Fold(name string) string { return fold(clean(name)) }

// fold makes names equal that differ in case, width or composition only.
func fold(s string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.TrimSpace(s))))
}
