package chat

import "errors"

// visible is what somebody may read of a group's messages: nothing with a seq before from is there.
type visible struct {
	MessageReader
	from Seq
}

// visibleTo is what who, with the membership m, may read in g.
func visibleTo(r MessageReader, g *Group, m *Membership) visible { return visible{r, firstSeq(g, m)} }

// firstSeq is where the history of g begins for a membership m: not before the floor, and in a group with ExtentJoined not
// before the membership. Who has none there, a guest that has not spoken, reads nothing of what was.
func firstSeq(g *Group, m *Membership) Seq {
	switch {
	case g.History != ExtentJoined:
		return g.Floor
	case m.Active():
		return max(g.Floor, m.FromSeq)
	}
	return g.Head + 1
}

func (v visible) Message(g GroupID, seq Seq) (*Message, error) {
	if seq < v.from {
		return nil, ErrNotFound
	}
	return v.MessageReader.Message(g, seq)
}

func (v visible) Newest(g GroupID, before Seq, limit int) ([]*Message, error) {
	rows, err := v.MessageReader.Newest(g, before, limit)
	n := 0
	for n < len(rows) && rows[n].Seq >= v.from {
		n++
	}
	return rows[:n], err
}

func (v visible) Oldest(g GroupID, after Seq, limit int) ([]*Message, error) {
	return v.MessageReader.Oldest(g, max(after, v.from-1), limit)
}

// readMessage is a message that who may read, and its group; anything else is refused alike.
func (s *Service) readMessage(r Reader, who *User, id GroupID, seq Seq) (*Group, *Message, error) {
	g, m, err := s.readable(r, who, id)
	if err != nil {
		return nil, nil, err
	}
	message, err := visibleTo(r, g, m).Message(id, seq)
	if errors.Is(err, ErrNotFound) {
		err = refuseMessage()
	}
	return g, message, err
}
