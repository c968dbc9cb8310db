package names

import (
	"strings"
	"unicode"
)

// Guest makes a guest's nickname of what was typed: cleaned, without the guests' suffix, cut to limit graphemes (0 for
// none). It may be empty.
func Guest(typed string, limit int) string {
	name := clean(typed)
	for {
		next := clean(withoutSuffix(cut(name, limit)))
		if next == name {
			return name
		}
		name = next
	}
}

// Member checks a member's nickname and returns how it is shown. Members' names are refused rather than mended: who
// chooses a name for good wants to know.
func Member(typed string, limit int) (string, error) {
	if strings.ContainsFunc(strings.TrimSpace(typed), forbidden) {
		return "", ErrForbidden
	}
	name := clean(typed)
	switch {
	case name == "":
		return "", ErrEmpty
	case len(typed) > maxTyped, limit > 0 && Graphemes(name) > limit, cut(name, 0) != name:
		return "", ErrTooLong
	case withoutSuffix(name) != name, Reserved(Skeleton(name)):
		return "", ErrReserved
	}
	return name, nil
}

// maxUsername bounds a username, in graphemes.
const maxUsername = 32

// Username checks a username and folds it: what a member signs in with, whatever case it is typed in.
func Username(typed string) (string, error) {
	name := fold(typed)
	switch {
	case name == "":
		return "", ErrEmpty
	case Graphemes(name) > maxUsername || len(name) > 4*maxUsername:
		return "", ErrTooLong
	case strings.ContainsFunc(name, notInUsername):
		return "", ErrSpelling
	case Reserved(Skeleton(name)):
		return "", ErrReserved
	}
	return name, nil
}

func notInUsername(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("._-", r) || invisible(r)
}
