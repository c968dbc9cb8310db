package names

import "strings"

// Line cleans a text that a stranger wrote and that is shown on one line: without what hides, turns or breaks it, each
// run of space as one, and cut after limit graphemes.
func Line(typed string, limit int) string {
	text := clean(strings.Join(strings.Fields(bound(typed)), " "))
	short := cut(text, limit)
	if short == text {
		return text
	}
	return cut(short, limit-1) + "…"
}
