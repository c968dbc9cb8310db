package store

import "qun/internal/chat"

// countInformed keeps the count of active members who have read what is announced, when one of them changes.
func (g *groupRow) countInformed(before *memberRow, after *chat.Membership) {
	was, is := before != nil && g.informs(&before.Membership), g.informs(after)
	switch {
	case is && !was:
		g.Informed++
	case was && !is:
		g.Informed--
	}
	g.whole = g.whole || is != was
}

// informs reports whether m counts among those who have read what is announced.
func (g *groupRow) informs(m *chat.Membership) bool {
	return g.Announced > 0 && m.Announced == g.Announced && m.Active()
}
