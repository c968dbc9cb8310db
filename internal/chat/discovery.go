package chat

import (
	"context"

	"qun/internal/names"
)

// SearchKey is the name of a group as it is looked for.
func (g *Group) SearchKey() string { return names.Fold(g.Name) }

// GroupPlace is a place in the list of groups that may be found: by name.
type GroupPlace struct {
	Name  string  `json:"n"`
	Group GroupID `json:"g"` // "": before all of that name
}

// GroupFinder finds groups that whoever looks may know of.
type GroupFinder interface {
	// FindGroups are the groups after a place whose name or address holds text, by name, at most limit: the open ones and,
	// with public, those too that only members of the server find.
	FindGroups(text string, public bool, after GroupPlace, limit int) ([]*Group, error)
}

// GroupQuery looks for groups.
type GroupQuery struct {
	Search string `json:"search,omitempty"` // in the name or the address
	Cursor string `json:"cursor,omitempty"`
}

// GroupPage is a page of groups that were found.
type GroupPage struct {
	Groups []*GroupCard `json:"groups"`
	Cursor string       `json:"cursor,omitempty"` // ask again with it; absent: these were the last
}

// Groups is a page of the groups that who may find, by name: guests find the open ones, members the public ones, too.
func (s *Service) Groups(ctx context.Context, who *User, in GroupQuery) (page *GroupPage, err error) {
	if err := checkText(in.Search, maxSought); err != nil {
		return nil, refuseSearch(maxSought)
	}
	if who.Guest && s.Guests() == GuestsOff {
		return nil, refuseGuests()
	}
	if wait := s.lookups.Take(who.ID); wait > 0 {
		return nil, refuseRate(wait)
	}
	var after GroupPlace
	if err := readCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(r Reader) error {
		found, err := r.FindGroups(names.Fold(in.Search), !who.Guest, after, pageSize+1)
		if err != nil {
			return err
		}
		page = &GroupPage{Groups: []*GroupCard{}}
		for _, g := range found[:min(pageSize, len(found))] {
			page.Groups = append(page.Groups, g.Card())
		}
		if len(found) > pageSize {
			last := found[pageSize-1]
			page.Cursor = writeCursor(GroupPlace{last.SearchKey(), last.ID})
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, "find groups")
	}
	return page, nil
}
