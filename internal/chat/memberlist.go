package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"qun/internal/names"
)

// maxSought bounds the names that are searched for, in code points.
const maxSought = 100

// MemberTerm is a name by which a member is found, folded. One of a member's is main: the name it is shown by.
type MemberTerm struct {
	Term string
	Main bool
}

// Terms are the names by which m is found, each once: the one it is shown by, its nickname, its username.
func (m *Member) Terms() []MemberTerm {
	shown := or(m.GroupNick, m.NickName)
	terms := []MemberTerm{{names.Fold(shown), true}}
	for _, name := range []string{m.NickName, m.Username} {
		term := names.Fold(name)
		if term != "" && !slices.ContainsFunc(terms, func(t MemberTerm) bool { return t.Term == term }) {
			terms = append(terms, MemberTerm{term, false})
		}
	}
	return terms
}

// Rank is where m stands among the members: the owner is 0, admins are 1, all others 2.
func (m *Member) Rank() int { return m.Role.rank() }

// ListedMember is a member and the place in the list where it was found.
type ListedMember struct {
	Member *Member
	Place  MemberPlace
}

// MemberPlace is a place in the list of a group's members: by rank, then by name.
type MemberPlace struct {
	Rank int    `json:"r"`
	Term string `json:"t"`
	User UserID `json:"u"` // "": before everybody of that name
}

// MemberLister finds active members by name.
type MemberLister interface {
	// Members are the members after a place, at most limit: all, each at its main term, or, with a prefix, those with a term
	// that begins with it, each at its first such term.
	Members(g GroupID, prefix string, after MemberPlace, limit int) ([]ListedMember, error)
}

// MemberQuery asks for a page of a group's members: owner, admins, then all others, by name. With UserIDs it asks for these
// alone, as far as they are or were members, in that order.
type MemberQuery struct {
	Group   GroupID  `json:"groupId"`
	UserIDs []UserID `json:"userIds,omitempty"` // at most 100
	Search  string   `json:"search,omitempty"`  // a name in the group, a nickname or a username begins with it
	Cursor  string   `json:"cursor,omitempty"`
	Limit   int      `json:"limit,omitempty"` // 1–100; 0: 100
}

// MemberPage is a page of members.
type MemberPage struct {
	Members []*Member `json:"members"`
	Cursor  string    `json:"cursor,omitempty"` // ask again with it; absent: these were the last
}

// Members is a page of who is in a group.
func (s *Service) Members(ctx context.Context, who *User, in MemberQuery) (*MemberPage, error) {
	return s.memberPage(ctx, in, func(r Reader) error {
		_, _, err := s.within(r, who, in.Group, ActRead)
		return err
	})
}

// membersByID are the members of these ids, whatever became of their membership; who never was one is left out.
func membersByID(r MemberReader, g GroupID, users []UserID) ([]*Member, error) {
	members := make([]*Member, 0, len(users))
	for _, u := range users {
		m, err := membership(r, g, u)
		if err != nil {
			return nil, err
		}
		if m != nil {
			members = append(members, &m.Member)
		}
	}
	return members, nil
}

// ServerMembers is a page of who is in a group of many. Who asks has to be an administrator of the server: the caller
// sees to it.
func (s *Service) ServerMembers(ctx context.Context, in MemberQuery) (*MemberPage, error) {
	return s.memberPage(ctx, in, func(r Reader) error {
		g, err := r.Group(in.Group)
		if errors.Is(err, ErrNotFound) || err == nil && (g.Kind == KindDirect || g.DissolvedAt != 0) {
			return refuseGroup()
		}
		return err
	})
}

func (s *Service) memberPage(ctx context.Context, in MemberQuery, may func(Reader) error) (page *MemberPage, err error) {
	if in.Limit < 0 || in.Limit > maxPage || len(in.UserIDs) > maxPage {
		return nil, refusePage()
	}
	if err := checkText(in.Search, maxSought); err != nil {
		return nil, refuseSearch(maxSought)
	}
	var after MemberPlace
	if err := readCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	after.Rank = max(after.Rank, 0)
	limit := or(in.Limit, maxPage)
	err = s.store.View(ctx, func(r Reader) error {
		if err := may(r); err != nil {
			return err
		}
		if len(in.UserIDs) > 0 {
			members, err := membersByID(r, in.Group, in.UserIDs)
			page = &MemberPage{Members: members}
			return err
		}
		list, err := r.Members(in.Group, names.Fold(in.Search), after, limit+1)
		if err != nil {
			return err
		}
		page = &MemberPage{Members: make([]*Member, min(limit, len(list)))}
		for i := range page.Members {
			page.Members[i] = list[i].Member
		}
		if len(list) > limit {
			page.Cursor = writeCursor(list[limit-1].Place)
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("list members of %s", in.Group))
	}
	return page, nil
}
