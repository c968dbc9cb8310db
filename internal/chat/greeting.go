package chat

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"qun/internal/gather"
)

// Mine is all that is a user's own. It is read only: others may have the same rows.
type Mine struct {
	User        *User // nil: who has no row, and so nothing of its own
	Head, Rev   Seq   // as UserCounter
	Settings    json.RawMessage
	SettingsRev Seq
	Belongings  []Belonging // all there ever were, in order of UserRev
	Peers       map[GroupID]*User
	Requests    []*JoinRequest
	Blocks      []Block
}

// MineReader reads what is users' own, of many at once: the number of statements does not grow with them.
type MineReader interface {
	// Mine is what each of these users has of its own.
	Mine([]UserID) (map[UserID]*Mine, error)
}

const (
	// greetedAtOnce is how many reads there are at a time for those who are greeted, and greetedTogether how many share one.
	greetedAtOnce   = 2
	greetedTogether = 64
	// greetPatience is how long a read may take that is not made once more: clients wait no longer for it either.
	greetPatience = 10 * time.Second
)

// greetings read what somebody is told who comes, of all at once who come at the same time. When thousands come back, each
// read takes as many of them as the one before has kept waiting.
type greetings struct {
	groups *gather.Gather[UserID, []MyGroup]
	all    *gather.Gather[greeting, greeted]
}

func newGreetings(s *Service) greetings {
	return greetings{
		groups: gather.New(gather.Config[UserID, []MyGroup]{
			Answer: s.groupsOf, AtOnce: greetedAtOnce, Most: greetedTogether, Patience: greetPatience,
		}),
		all: gather.New(gather.Config[greeting, greeted]{
			Answer: s.greet, AtOnce: greetedAtOnce, Most: greetedTogether, Patience: greetPatience,
		}),
	}
}

// MyGroup is a group that somebody is in.
type MyGroup struct {
	ID  GroupID
	Rev Seq // the number at which the membership last changed

	Members int // how many are in it
}

// MyGroups are the groups who is in: what its sockets enter before Greet is called.
func (s *Service) MyGroups(ctx context.Context, who *User) ([]MyGroup, error) {
	groups, err := s.greetings.groups.Ask(ctx, who.ID)
	if err != nil {
		return nil, refusal(err, "list groups of "+string(who.ID))
	}
	return groups, nil
}

func (s *Service) groupsOf(ctx context.Context, users []UserID) ([][]MyGroup, error) {
	found, err := s.store.GroupsOf(ctx, users)
	groups := make([][]MyGroup, len(users))
	for i, u := range users {
		groups[i] = found[u]
	}
	return groups, err
}

// Greet is what hello answers: the overview of who, and, unless in is nil, what changed since the numbers that a client holds.
// Both are of one moment.
func (s *Service) Greet(ctx context.Context, who *User, in *SyncQuery) (*Overview, *Sync, error) {
	if in != nil && len(in.Heads) > syncHeads {
		return nil, nil, refuseHeads(syncHeads)
	}
	if err := s.cursors.flush(ctx, who.ID); err != nil {
		return nil, nil, refusal(err, "write read cursors")
	}
	one := greeting{who, in}
	told, err := s.greetings.all.Ask(ctx, one)
	if err != nil && !errors.Is(err, ErrBusy) && ctx.Err() == nil { // by rows of somebody else, perhaps
		told, err = s.greetAlone(ctx, one)
	}
	if err != nil {
		return nil, nil, refusal(err, "greet "+string(who.ID))
	}
	s.follow(counter{user: who.ID}, told.overview.Head)
	for _, c := range told.overview.Groups {
		s.follow(counter{group: c.ID}, c.Head)
	}
	return told.overview, told.sync, nil
}

// greeting is one who is to be greeted.
type greeting struct {
	who  *User
	sync *SyncQuery
}

// greeted is what it is told.
type greeted struct {
	overview *Overview
	sync     *Sync
}

// greet reads for all in one snapshot.
func (s *Service) greet(ctx context.Context, crowd []greeting) (told []greeted, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		users := make([]UserID, len(crowd))
		for i, one := range crowd {
			users[i] = one.who.ID
		}
		own, err := r.Mine(users)
		if err != nil {
			return err
		}
		last, err := r.LastMessages(groupsIn(own))
		if err != nil {
			return err
		}
		r, told = newMemory(r), make([]greeted, len(crowd))
		for i, one := range crowd {
			mine := own[one.who.ID]
			if told[i].overview, err = overviewOf(r, one.who.ID, mine, last); err != nil {
				return err
			}
			if one.sync == nil {
				continue
			}
			if told[i].sync, err = s.sync(r, one.who, mine, *one.sync); err != nil {
				return err
			}
		}
		return nil
	})
	return told, err
}

func (s *Service) greetAlone(ctx context.Context, one greeting) (told greeted, err error) {
	all, err := s.greet(ctx, []greeting{one})
	if err == nil {
		told = all[0]
	}
	return told, err
}

// groupsIn are the groups that somebody of these is in.
func groupsIn(own map[UserID]*Mine) []GroupID {
	found := map[GroupID]struct{}{}
	for _, o := range own {
		for i := range o.Belongings {
			if b := &o.Belongings[i]; b.holds() {
				found[b.Group.ID] = struct{}{}
			}
		}
	}
	groups := make([]GroupID, 0, len(found))
	for g := range found {
		groups = append(groups, g)
	}
	slices.Sort(groups) // the same question for the same groups
	return groups
}

// memory is a Reader that remembers what changed in groups: of a crowd that comes back, most missed the same.
type memory struct {
	Reader
	messages map[changesAsked][]*Message
	members  map[changesAsked][]*Member
}

// changesAsked are the changes of a group that somebody asks for.
type changesAsked struct {
	group GroupID
	since Seq
	limit int
}

func newMemory(r Reader) *memory {
	return &memory{r, map[changesAsked][]*Message{}, map[changesAsked][]*Member{}}
}

func (m *memory) MessagesAfter(g GroupID, since Seq, limit int) ([]*Message, error) {
	return remember(m.messages, m.Reader.MessagesAfter, changesAsked{g, since, limit})
}

func (m *memory) MembersAfter(g GroupID, since Seq, limit int) ([]*Member, error) {
	return remember(m.members, m.Reader.MembersAfter, changesAsked{g, since, limit})
}

func remember[Row any](known map[changesAsked][]Row, read func(GroupID, Seq, int) ([]Row, error), asked changesAsked) ([]Row, error) {
	if rows, ok := known[asked]; ok {
		return rows, nil
	}
	rows, err := read(asked.group, asked.since, asked.limit)
	if err == nil {
		known[asked] = rows
	}
	return rows, err
}
