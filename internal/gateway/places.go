package gateway

import (
	"slices"
	"unique"

	"qun/internal/chat"
)

// maxNames bounds the names that a socket may have used for the groups it entered, and the groups it left that are remembered.
const maxNames = 1000

// places are the groups that a socket is in or was in, and what it calls them. They are lists, and ids and names are shared
// with everybody's: maps, with strings of their own, would be most of what an idle member of many groups takes.
type places struct {
	list  []place
	names []naming
}

type place struct {
	group   unique.Handle[chat.GroupID]
	moved   chat.Seq // the newest number of a membership by which the socket went in or out
	in      bool
	visitor bool // in, for a guest who has not spoken
}

type naming struct {
	name  unique.Handle[string]
	group unique.Handle[chat.GroupID]
}

// find is the place of a group, or one that is nowhere.
func (p *places) find(g chat.GroupID) place {
	if i := p.indexOf(g); i >= 0 {
		return p.list[i]
	}
	return place{}
}

func (p *places) indexOf(g chat.GroupID) int {
	if len(p.list) == 0 {
		return -1
	}
	group := unique.Make(g)
	return slices.IndexFunc(p.list, func(at place) bool { return at.group == group })
}

// of is the place of a group to be changed. Until the next call.
func (p *places) of(g chat.GroupID) *place {
	i := p.indexOf(g)
	if i >= 0 {
		return &p.list[i]
	}
	if len(p.list) >= maxNames {
		p.list = slices.DeleteFunc(p.list, func(at place) bool { return !at.in })
	}
	p.list = appendTight(p.list, place{group: unique.Make(g)})
	return &p.list[len(p.list)-1]
}

// move remembers the number by which the socket went in or out last; 0 is none.
func (p *places) move(g chat.GroupID, rev chat.Seq) *place {
	at := p.of(g)
	if rev != 0 {
		at.moved = rev
	}
	return at
}

// leave says that the socket is not in a group any more, and forgets the group's names.
func (p *places) leave(g chat.GroupID, rev chat.Seq) {
	if rev == 0 && p.indexOf(g) < 0 {
		return
	}
	at := p.move(g, rev)
	at.in, at.visitor = false, false
	group := at.group
	p.names = slices.DeleteFunc(p.names, func(n naming) bool { return n.group == group })
}

// in calls yield for each group that the socket is in.
func (p *places) in(yield func(g chat.GroupID, visitor bool) bool) {
	for _, at := range p.list {
		if at.in && !yield(at.group.Value(), at.visitor) {
			return
		}
	}
}

func (p *places) count() (n int) {
	for range p.in {
		n++
	}
	return n
}

// called is the group of that name.
func (p *places) called(name string) (chat.GroupID, bool) {
	if i := p.nameAt(name); i >= 0 {
		return p.names[i].group.Value(), true
	}
	return "", false
}

func (p *places) nameAt(name string) int {
	return slices.IndexFunc(p.names, func(n naming) bool { return n.name.Value() == name })
}

// call makes names of a group known.
func (p *places) call(g chat.GroupID, names ...string) {
	group := unique.Make(g)
	for _, name := range names {
		switch i := p.nameAt(name); {
		case name == "":
		case i >= 0:
			p.names[i].group = group
		case len(p.names) < maxNames:
			p.names = appendTight(p.names, naming{unique.Make(name), group})
		}
	}
}

// appendTight is append for lists of which there are many: it leaves a quarter of room, not as much as there is.
func appendTight[T any](list []T, one T) []T {
	if len(list) == cap(list) {
		list = append(make([]T, 0, len(list)+len(list)/4+2), list...)
	}
	return append(list, one)
}
