package chat

import (
	"context"
	"slices"

	"qun/internal/names"
)

// Reaction is one emoji under a message.
type Reaction struct {
	Emoji   string   `json:"emoji"`
	Count   int      `json:"count"`
	UserIDs []UserID `json:"userIds"`        // who came first, at most 50
	Mine    bool     `json:"mine,omitempty"` // in answers to one user; never in what is pushed to a group
}

// ReactionReader finds who reacted.
type ReactionReader interface {
	// MyReactions are a user's emojis under the messages first to last of a group.
	MyReactions(g GroupID, u UserID, first, last Seq) (map[Seq][]string, error)
}

// ReactionTx keeps who reacted. What a message says of it is the caller's to put.
type ReactionTx interface {
	// SetReaction stores, or with on false deletes, one reaction of a user, and reports whether that changed anything.
	SetReaction(seq Seq, u UserID, emoji string, on bool) (changed bool, err error)
	// Reactors are those who reacted with an emoji, in the order in which they came, at most limit.
	Reactors(seq Seq, emoji string, limit int) ([]UserID, error)
	// MyReactions are a user's emojis under a message.
	MyReactions(seq Seq, u UserID) ([]string, error)
}

const (
	maxReactions = 20 // different emojis under a message
	maxReactors  = 50 // users named with each
)

// React puts by's emoji under a message, or takes it back. What is so already stays. However many reacted, a change is one
// row of who reacted, and the message.
func (s *Service) React(ctx context.Context, by *User, id GroupID, seq Seq, emoji string, on bool) (*Message, error) {
	emoji, ok := names.Emoji(emoji)
	if !ok {
		return nil, refuseEmoji()
	}
	return s.changeMessage(ctx, by, id, seq, ActSend, func(a *messageAct) error {
		if err := a.refuseReaction(emoji, on); err != nil {
			return err
		}
		changed, err := a.tx.SetReaction(seq, by.ID, emoji, on)
		if err != nil || !changed {
			return err
		}
		if on {
			a.react(emoji)
		} else if err := a.unreact(emoji); err != nil {
			return err
		}
		return a.put()
	})
}

func (a *messageAct) refuseReaction(emoji string, on bool) error {
	if !on {
		return nil // there is none under what was emptied
	}
	if err := a.refuseEmptied(); err != nil {
		return err
	}
	open := *a.group
	open.MutedAll = false // where all are muted a reaction is what is left to say
	if err := refuseSilenced(&open, a.me, a.now()); err != nil {
		return err
	}
	if a.message.reaction(emoji) < 0 && len(a.message.Reactions) >= maxReactions {
		return refuseManyReactions(maxReactions)
	}
	return nil
}

// reaction is where an emoji stands among m's reactions; -1 if it does not.
func (m *Message) reaction(emoji string) int {
	return slices.IndexFunc(m.Reactions, func(r Reaction) bool { return r.Emoji == emoji })
}

// react counts one more.
func (a *messageAct) react(emoji string) {
	i := a.message.reaction(emoji)
	if i < 0 {
		i = len(a.message.Reactions)
		a.message.Reactions = append(a.message.Reactions, Reaction{Emoji: emoji})
	}
	r := &a.message.Reactions[i]
	r.Count++
	if len(r.UserIDs) < maxReactors {
		r.UserIDs = append(r.UserIDs, a.who.ID)
	}
}

// unreact counts one less. When one of those named goes, the next in order is named.
func (a *messageAct) unreact(emoji string) (err error) {
	i := a.message.reaction(emoji)
	if i < 0 {
		return nil
	}
	r := &a.message.Reactions[i]
	r.Count--
	if r.Count <= 0 {
		a.message.Reactions = slices.Delete(a.message.Reactions, i, i+1)
		if len(a.message.Reactions) == 0 {
			a.message.Reactions = nil
		}
		return nil
	}
	at := slices.Index(r.UserIDs, a.who.ID)
	if at < 0 {
		return nil
	}
	r.UserIDs = slices.Delete(r.UserIDs, at, at+1)
	if r.Count > len(r.UserIDs) {
		r.UserIDs, err = a.tx.Reactors(a.message.Seq, emoji, maxReactors)
	}
	return err
}

// mark says in messages of one group which reactions are who's. Rows may be shared: what changes is a copy.
func mark(r ReactionReader, who UserID, messages []*Message) error {
	var unsure []*Message // in which who may be one of those not named
	for i, m := range messages {
		if len(m.Reactions) == 0 {
			continue
		}
		messages[i] = marked(m, m.named(who))
		if messages[i].hasUnnamed() {
			unsure = append(unsure, messages[i])
		}
	}
	if len(unsure) == 0 {
		return nil
	}
	first, last := unsure[0].Seq, unsure[0].Seq
	for _, m := range unsure {
		first, last = min(first, m.Seq), max(last, m.Seq)
	}
	mine, err := r.MyReactions(unsure[0].GroupID, who, first, last)
	for _, m := range unsure {
		m.setMine(mine[m.Seq]) // a copy already
	}
	return err
}

// markOne is mark for one message.
func markOne(r ReactionReader, who UserID, m *Message) (*Message, error) {
	rows := []*Message{m}
	err := mark(r, who, rows)
	return rows[0], err
}

// marked is a copy of m that says which reactions are mine.
func marked(m *Message, mine []string) *Message {
	copied := *m
	copied.Reactions = slices.Clone(m.Reactions)
	copied.setMine(mine)
	return &copied
}

func (m *Message) setMine(emojis []string) {
	for i := range m.Reactions {
		if slices.Contains(emojis, m.Reactions[i].Emoji) {
			m.Reactions[i].Mine = true
		}
	}
}

// named are the emojis with which who is named.
func (m *Message) named(who UserID) (emojis []string) {
	for _, r := range m.Reactions {
		if slices.Contains(r.UserIDs, who) {
			emojis = append(emojis, r.Emoji)
		}
	}
	return emojis
}

// hasUnnamed reports whether more reacted than are named, with an emoji not known to be mine.
func (m *Message) hasUnnamed() bool {
	return slices.ContainsFunc(m.Reactions, func(r Reaction) bool { return !r.Mine && r.Count > len(r.UserIDs) })
}
