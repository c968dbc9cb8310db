package chat

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// RequestHash is what is compared when a clientId comes again: the request as it was first sent.
type RequestHash [16]byte

// hash covers group, text, replyTo and files. Each piece is led by its length, so that none can pass for another.
func (in *NewMessage) hash() RequestHash {
	h := sha256.New()
	var number [8]byte
	put := func(text string) {
		binary.BigEndian.PutUint64(number[:], uint64(len(text)))
		h.Write(number[:])
		h.Write([]byte(text))
	}
	put(string(in.Group))
	put(in.Text)
	binary.BigEndian.PutUint64(number[:], uint64(in.ReplyTo))
	h.Write(number[:])
	for _, file := range in.Files {
		put(string(file))
	}
	return RequestHash(h.Sum(nil)[:16])
}

// Posting is a message on its way into the store. It is complete but for Seq, Rev and Room, which the store sets.
type Posting struct {
	Message Message
	By      *User // whose row, and in an open group whose membership, is made when a guest speaks for the first time
	Hash    RequestHash
	Entered bool   // the socket that asks has entered the group
	Link    string // of which a preview is wanted; "": of none

	Guests          bool // guests may speak
	MembersPerGroup int  // 0: no limit
}

// Judge says whether p may be said in g by the membership m: nil, or a refusal. Either may be nil, for "there is none".
// The store asks it inside the transaction, with rows nobody else can change.
func (p *Posting) Judge(g *Group, m *Membership) error {
	if err := permitted(g, m, p.By, ActSend, p.Message.SentAt, p.Guests); err != nil {
		return err
	}
	if slices.Contains(p.Message.Mentions, MentionAll) {
		if err := permitted(g, m, p.By, ActMentionAll, p.Message.SentAt, p.Guests); err != nil {
			return err
		}
	}
	if m.Active() {
		return p.judgeMember(g, m)
	}
	return p.judgeVisitor(g)
}

func (p *Posting) judgeMember(g *Group, m *Membership) error {
	now := p.Message.SentAt
	if err := refuseSilenced(g, m, now); err != nil || m.Role != RoleMember {
		return err
	}
	next := m.SentAt + Time(g.SlowMode)*1000
	if g.SlowMode > 0 && next > now {
		return refuseSlow(time.Duration(next-now) * time.Millisecond)
	}
	return nil
}

// refuseSilenced refuses a member who may not speak now.
func refuseSilenced(g *Group, m *Membership, now Time) error {
	switch {
	case m.Barred != Unbarred:
		return refuseBarred(m.Barred)
	case m.Role != RoleMember:
		return nil
	case m.MutedUntil > now:
		return refuseMuted(m.MutedUntil)
	case g.MutedAll:
		return refuseMuted(0)
	}
	return nil
}

func (p *Posting) judgeVisitor(g *Group) error {
	switch {
	case !p.Entered:
		return refuseNotEntered()
	case g.MutedAll:
		return refuseMuted(0)
	case p.MembersPerGroup > 0 && g.MemberCount >= p.MembersPerGroup:
		return refuseFull()
	}
	return nil
}

// Membership is the one that begins with p.
func (p *Posting) Membership() *Membership {
	return newMembership(p.Message.GroupID, p.By, RoleMember, p.Message.SentAt)
}

func newMembership(g GroupID, u *User, role Role, now Time) *Membership {
	return &Membership{
		Member: Member{
			GroupID: g, UserID: u.ID, NickName: u.NickName, Username: u.Username, Avatar: u.Avatar,
			Role: role, Guest: u.Guest, Bot: u.Bot, State: MemberActive, JoinedAt: now,
		},
		Notify: NotifyAll,
	}
}
