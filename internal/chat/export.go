package chat

import (
	"encoding/json"
	"fmt"
	"io"
)

// ExportReader lists what else is exported.
type ExportReader interface {
	// UsersAfter are the users with an id after id, in order of id, at most limit.
	UsersAfter(id UserID, limit int) ([]*User, error)
	// SentBy are the messages of a group that a user sent, with seq > after, oldest first, at most limit.
	SentBy(u UserID, g GroupID, after Seq, limit int) ([]*Message, error)
}

// Export says what is exported: one group, what there is of one user, or, with neither, everything.
type Export struct {
	Group GroupID `json:"groupId,omitempty"`
	User  UserID  `json:"userId,omitempty"`
}

// exportVersion is of the shape of the lines; a field more changes nothing.
const exportVersion = 1

// exportPage is how many rows are in memory at a time.
const exportPage = 500

// The lines of an export. Each says in type what it holds; the last one is of type end, or something is missing.
type (
	exportHead struct {
		Type    string `json:"type"` // "export"
		Version int    `json:"version"`
		Epoch   string `json:"epoch"`
		At      Time   `json:"at"`
		Export
	}
	exportLine struct {
		Type        string      `json:"type"`
		User        *User       `json:"user,omitempty"`
		Group       *Group      `json:"group,omitempty"`
		Member      *Member     `json:"member,omitempty"`
		Me          *GroupState `json:"mine,omitempty"`
		Message     *Message    `json:"message,omitempty"`
		File        *File       `json:"file,omitempty"`
		GroupID     GroupID     `json:"groupId,omitempty"` // of a file: the message that carries it
		Seq         Seq         `json:"seq,omitempty"`
		DissolvedAt Time        `json:"dissolvedAt,omitempty"`
	}
	exportEnd struct {
		Type  string `json:"type"` // "end"
		Lines int    `json:"lines"`
	}
)

// Write writes the export as JSON Lines, from one snapshot and in pages, so that its size does not matter. carried, if it
// is not nil, is told of each file that a message carries. Passwords and tokens are never in it.
func (e Export) Write(r Reader, epoch string, now Time, to io.Writer, carried func(File) error) error {
	x := &exporting{r: r, to: json.NewEncoder(to), carried: carried}
	x.to.SetEscapeHTML(false)
	if err := x.to.Encode(exportHead{"export", exportVersion, epoch, now, e}); err != nil {
		return err
	}
	var err error
	switch {
	case e.User != "":
		err = x.user(e.User)
	case e.Group != "":
		err = x.oneGroup(e.Group)
	default:
		err = x.all()
	}
	if err != nil {
		return err
	}
	return x.to.Encode(exportEnd{"end", x.lines})
}

// exporting is an export on its way.
type exporting struct {
	r       Reader
	to      *json.Encoder
	carried func(File) error
	lines   int
}

func (x *exporting) write(line exportLine) error {
	x.lines++
	return x.to.Encode(line)
}

func (x *exporting) all() error {
	for last := UserID(""); ; {
		users, err := x.r.UsersAfter(last, exportPage)
		if err != nil {
			return fmt.Errorf("list users: %w", err)
		}
		for _, u := range users {
			if err := x.write(exportLine{Type: "user", User: u}); err != nil {
				return err
			}
			last = u.ID
		}
		if len(users) < exportPage {
			break
		}
	}
	return x.eachGroup(x.group)
}

func (x *exporting) eachGroup(visit func(*Group) error) error {
	for last := GroupID(""); ; {
		groups, err := x.r.GroupsAfter(last, exportPage)
		if err != nil {
			return fmt.Errorf("list groups: %w", err)
		}
		for _, g := range groups {
			if err := visit(g); err != nil {
				return fmt.Errorf("export group %s: %w", g.ID, err)
			}
			last = g.ID
		}
		if len(groups) < exportPage {
			return nil
		}
	}
}

func (x *exporting) oneGroup(id GroupID) error {
	g, err := x.r.Group(id)
	if err != nil {
		return fmt.Errorf("find group %s: %w", id, err)
	}
	return x.group(g)
}

// group writes a group, who is or was in it, and what was said.
func (x *exporting) group(g *Group) error {
	if err := x.write(exportLine{Type: "group", Group: g, DissolvedAt: g.DissolvedAt}); err != nil {
		return err
	}
	for since := Seq(0); ; {
		members, err := x.r.MembersAfter(g.ID, since, exportPage)
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		for _, m := range members {
			if err := x.write(exportLine{Type: "member", Member: m}); err != nil {
				return err
			}
			since = m.Rev
		}
		if len(members) < exportPage {
			break
		}
	}
	return x.messages(func(after Seq) ([]*Message, error) { return x.r.Oldest(g.ID, after, exportPage) })
}

// messages writes pages of messages, and the files they carry.
func (x *exporting) messages(page func(after Seq) ([]*Message, error)) error {
	for after := Seq(0); ; {
		messages, err := page(after)
		if err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
		for _, m := range messages {
			if err := x.message(m); err != nil {
				return err
			}
			after = m.Seq
		}
		if len(messages) < exportPage {
			return nil
		}
	}
}

func (x *exporting) message(m *Message) error {
	if err := x.write(exportLine{Type: "message", Message: m}); err != nil {
		return err
	}
	for _, f := range m.Carried() {
		if err := x.write(exportLine{Type: "file", File: &f, GroupID: m.GroupID, Seq: m.Seq}); err != nil {
			return err
		}
		if x.carried == nil {
			continue
		}
		if err := x.carried(f); err != nil {
			return err
		}
	}
	return nil
}

// user writes what there is of a user: who it is, the groups it is or was in as it has them, and what it said there.
func (x *exporting) user(id UserID) error {
	u, err := x.r.User(id)
	if err != nil {
		return fmt.Errorf("find user %s: %w", id, err)
	}
	if err := x.write(exportLine{Type: "user", User: u}); err != nil {
		return err
	}
	mine, err := x.r.Belongings(id, 0)
	if err != nil {
		return fmt.Errorf("list groups of %s: %w", id, err)
	}
	for _, b := range mine {
		if err := x.belonging(id, b); err != nil {
			return fmt.Errorf("export group %s: %w", b.Group.ID, err)
		}
	}
	return nil
}

func (x *exporting) belonging(id UserID, b Belonging) error {
	line := exportLine{Type: "member", Member: &b.Membership.Member}
	if change := MembershipEvent(b.Group, b.Membership).Me; change.Group != nil {
		line.Me = change.Group
	}
	if err := x.write(line); err != nil {
		return err
	}
	return x.messages(func(after Seq) ([]*Message, error) { return x.r.SentBy(id, b.Group.ID, after, exportPage) })
}
