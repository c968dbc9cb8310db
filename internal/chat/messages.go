package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MessageKind says what a message is. Text and file are countable: they make others' groups unread.
type MessageKind string

const (
	MessageText   MessageKind = "text"
	MessageFile   MessageKind = "file"
	MessageJoin   MessageKind = "join"   // "<nick> 加入了 <room> 房间"; stored for members only
	MessageSystem MessageKind = "system" // an act, worded by the app in the reader's language
	MessageNotice MessageKind = "notice" // a refusal for a plain client; never stored
)

// Countable reports whether a message of this kind counts as unread for others.
func (k MessageKind) Countable() bool { return k == MessageText || k == MessageFile }

// Message is what was said in a group. A transient one (a guest's join line, a notice) has no Seq and no Rev.
type Message struct {
	ID         MessageID   `json:"id"`
	GroupID    GroupID     `json:"groupId,omitempty"`
	Seq        Seq         `json:"seq,omitempty"`
	Rev        Seq         `json:"rev,omitempty"`
	Room       string      `json:"room"`
	UserID     UserID      `json:"userId,omitempty"`
	NickName   string      `json:"nickName"` // at the time of sending
	Guest      bool        `json:"guest"`
	Kind       MessageKind `json:"kind"`
	Text       string      `json:"message"`
	ClientID   string      `json:"clientId,omitempty"`
	ReplyTo    Seq         `json:"replyTo,omitempty"`
	Mentions   []UserID    `json:"mentions,omitempty"` // or MentionAll
	Files      []File      `json:"files,omitempty"`
	Reactions  []Reaction  `json:"reactions,omitempty"`
	Preview    *Preview    `json:"preview,omitempty"` // of the first link; it comes later, as a change
	System     *SystemAct  `json:"system,omitempty"`
	PinnedAt   Time        `json:"pinnedAt,omitempty"`
	EditedAt   Time        `json:"editedAt,omitempty"`
	RecalledAt Time        `json:"recalledAt,omitempty"`
	SentAt     Time        `json:"sentAt"`
}

// SystemAct is what a system line tells, for the app to word.
type SystemAct struct {
	Act    string `json:"act"`
	By     UserID `json:"by"`
	Target UserID `json:"target,omitempty"`
	Value  string `json:"value,omitempty"`
}

// NewMessage is a request to say something. The gateway has turned a room's name into its Group.
type NewMessage struct {
	Group    GroupID
	Entered  bool // the socket that asks has entered the group; a guest without a membership can speak only then
	Text     string
	ClientID string // 1–64 bytes, or empty: then it is sent as often as it is asked
	ReplyTo  Seq
	Files    []FileID
	Mentions []UserID
}

// Sent is the answer to NewMessage: the row as it is now.
type Sent struct {
	Message   *Message `json:"message"`
	Duplicate bool     `json:"duplicate,omitempty"`
}

// maxClientID bounds a clientId, in bytes.
const maxClientID = 64

// SendMessage says something in a group. The same clientId of the same sender is the same message, for ever: it is
// answered as it is now, before any rule is asked. The message is durable and announced when SendMessage returns it.
func (s *Service) SendMessage(ctx context.Context, by *User, in NewMessage) (*Sent, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	if !validClientID(in.ClientID) {
		return nil, refuseClientID()
	}
	if err := s.refuse(by, &in); err != nil {
		return s.duplicateOr(ctx, by, in.ClientID, in.hash(), err)
	}
	files, err := s.uploads(ctx, by, &in)
	if err != nil {
		return s.duplicateOr(ctx, by, in.ClientID, in.hash(), err)
	}
	if err := s.refuseWords(ctx, in.Text); err != nil {
		return s.duplicateOr(ctx, by, in.ClientID, in.hash(), err)
	}
	return s.append(ctx, by, s.posting(by, &in, files))
}

// append stores p, and waits until the group has heard of it.
func (s *Service) append(ctx context.Context, by *User, p *Posting) (*Sent, error) {
	sent, err := s.store.AppendMessage(ctx, p)
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("append a message to %s", p.Message.GroupID))
	}
	if sent.Duplicate {
		return s.seenAgain(ctx, by, sent.Message)
	}
	s.announcer.settle(ctx, counter{group: p.Message.GroupID})
	return sent, nil
}

func validClientID(id string) bool {
	return len(id) <= maxClientID && utf8.ValidString(id) && !strings.ContainsRune(id, 0)
}

// refuse asks the rules that need no row. It leaves each mention once.
func (s *Service) refuse(by *User, in *NewMessage) (err error) {
	if in.Text != "" || len(in.Files) == 0 {
		if refused := s.refuseText(in.Text); refused != nil {
			return refused
		}
	}
	if in.ReplyTo < 0 {
		return refuseReply()
	}
	if in.Mentions, err = distinctMentions(in.Mentions); err != nil {
		return err
	}
	if wait := s.messages.Take(by.ID); wait > 0 {
		return refuseRate(wait)
	}
	return nil
}

// refuseText refuses what is no text that a message may have.
func (s *Service) refuseText(text string) *Error {
	switch length := utf8.RuneCountInString(text); {
	case length == 0:
		return refuseEmpty()
	case s.Limits().MessageLength > 0 && length > s.Limits().MessageLength:
		return refuseLength(length, s.Limits().MessageLength)
	case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
		return refuseText()
	}
	return nil
}

// duplicateOr answers a request that a rule refuses, but that was granted before.
func (s *Service) duplicateOr(ctx context.Context, by *User, clientID string, asked RequestHash, refused error) (*Sent, error) {
	if clientID == "" {
		return nil, refused
	}
	var before *Message
	var hash RequestHash
	err := s.store.View(ctx, func(r Reader) (err error) {
		before, hash, err = r.MessageByClientID(by.ID, clientID)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, refused
	case err != nil:
		return nil, refusal(err, "look up a clientId")
	case hash != asked:
		return nil, refuseConflict()
	}
	return s.seenAgain(ctx, by, before)
}

// seenAgain answers with a message that was sent before, as its sender sees it.
func (s *Service) seenAgain(ctx context.Context, by *User, before *Message) (*Sent, error) {
	sent := &Sent{Message: before, Duplicate: true}
	if len(before.Reactions) == 0 {
		return sent, nil
	}
	err := s.store.View(ctx, func(r Reader) (err error) {
		sent.Message, err = markOne(r, by.ID, before)
		return err
	})
	if err != nil {
		return nil, refusal(err, "look up reactions")
	}
	return sent, nil
}

func (s *Service) posting(by *User, in *NewMessage, files []File) *Posting {
	now := s.cfg.Now()
	p := &Posting{
		Message: Message{
			ID: MessageID(newID(now)), GroupID: in.Group, UserID: by.ID, NickName: by.NickName, Guest: by.Guest,
			Kind: MessageText, Text: in.Text, ClientID: in.ClientID, ReplyTo: in.ReplyTo,
			Mentions: in.Mentions, Files: files, SentAt: TimeOf(now),
		},
		By: by, Hash: in.hash(), Entered: in.Entered, Link: s.linkOf(by, in.Text),
		Guests: s.Guests() != GuestsOff, MembersPerGroup: s.Limits().MembersPerGroup,
	}
	if in.Text == "" {
		p.Message.Kind, p.Message.Text = MessageFile, s.fileText(files)
	}
	return p
}
