package store

import "qun/internal/chat"

// maxKept bounds the rows of each kind that are kept; past it all are forgotten and read again.
const maxKept = 1 << 14

// kept are rows as the writer's last transactions left them, where nobody else writes: a group in which people talk is not
// read anew for each batch. Only sends keep rows and find them. What any other act does is not known here, so the first
// one in a transaction drops them all.
type kept struct {
	groups  map[chat.GroupID]*groupRow
	members map[memberKey]*memberRow
}

// takeGroup moves a group's row to a transaction: if that fails, nothing false is left behind.
func (k *kept) takeGroup(id chat.GroupID) *groupRow {
	g := k.groups[id]
	delete(k.groups, id)
	return g
}

// takeMember is takeGroup for a membership.
func (k *kept) takeMember(key memberKey) *memberRow {
	m := k.members[key]
	delete(k.members, key)
	return m
}

// keep takes the rows of a transaction that was committed and did nothing but sends.
func (k *kept) keep(t *tx) {
	if k.groups == nil || len(k.groups)+len(t.groups) > maxKept || len(k.members)+len(t.members) > maxKept {
		k.groups, k.members = t.groups, t.members
		return
	}
	for id, g := range t.groups {
		k.groups[id] = g
	}
	for key, m := range t.members {
		k.members[key] = m
	}
}

func (k *kept) drop() { *k = kept{} }
