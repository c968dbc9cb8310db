package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"qun/internal/names"
)

// MembershipUpdate changes what is who's own of a group; what is nil stays. The name in the group is everybody's to see,
// all else is private.
type MembershipUpdate struct {
	Group     GroupID `json:"groupId"`
	GroupNick *string `json:"groupNick,omitempty"` // "": none
	Notify    *Notify `json:"notify,omitempty"`
	Pinned    *bool   `json:"pinned,omitempty"`
	Draft     *string `json:"draft,omitempty"` // "": none
}

// NickTx keeps what members' names in a group look like.
type NickTx interface {
	// NickOwner is the active member whose name in the group has this skeleton.
	NickOwner(skeleton string) (UserID, error)
	// SetNickSkeleton notes what a member's name in the group looks like; "" for none. It takes no number.
	SetNickSkeleton(u UserID, skeleton string) error
}

// UpdateMembership does what in says. What is so already takes no number.
func (s *Service) UpdateMembership(ctx context.Context, who *User, in MembershipUpdate) (*GroupState, error) {
	if err := in.validate(s.Limits()); err != nil {
		return nil, err
	}
	skeleton, err := s.nickSkeleton(ctx, who, in.GroupNick)
	if err != nil {
		return nil, err
	}
	err = s.act(ctx, who, in.Group, ActRead, func(d *deed) error {
		if !d.me.Active() {
			return refuseSilent()
		}
		changed := in.applyTo(d.me)
		if in.GroupNick == nil || *in.GroupNick == d.me.GroupNick {
			if !changed {
				return nil
			}
			return d.tx.PutPrivate(d.me)
		}
		if err := d.takeNick(skeleton); err != nil {
			return err
		}
		d.me.GroupNick = *in.GroupNick
		return d.tx.PutMembership(d.me)
	})
	if err != nil {
		return nil, err
	}
	return s.groupState(ctx, who, in.Group)
}

func (in *MembershipUpdate) validate(limits Limits) error {
	if in.Notify != nil && *in.Notify != NotifyAll && *in.Notify != NotifyMentions && *in.Notify != NotifyNothing {
		return refuseNotify()
	}
	if in.Draft == nil {
		return nil
	}
	switch length := utf8.RuneCountInString(*in.Draft); {
	case limits.MessageLength > 0 && length > limits.MessageLength:
		return refuseLength(length, limits.MessageLength)
	case strings.ContainsRune(*in.Draft, 0) || !utf8.ValidString(*in.Draft):
		return refuseText()
	}
	return nil
}

// applyTo changes what is private, and reports whether anything did.
func (in *MembershipUpdate) applyTo(m *Membership) bool {
	before := *m
	if in.Notify != nil {
		m.Notify = *in.Notify
	}
	if in.Pinned != nil {
		m.Pinned = *in.Pinned
	}
	if in.Draft != nil {
		m.Draft = *in.Draft
	}
	return m.Notify != before.Notify || m.Pinned != before.Pinned || m.Draft != before.Draft
}

// nickSkeleton checks a name for a group, cleans it, and is what it looks like. The rules are those of a member's own
// name: nobody bears or imitates another's. Guests have the one they came with.
func (s *Service) nickSkeleton(ctx context.Context, who *User, nick *string) (string, error) {
	if nick == nil || *nick == "" {
		return "", nil
	}
	if who.Guest {
		return "", refuseGuestAct()
	}
	name, err := names.Member(*nick, s.Limits().NickName)
	if err != nil {
		return "", s.badName(err)
	}
	*nick = name
	skeleton := names.Skeleton(name)
	err = s.store.View(ctx, func(r Reader) error {
		owner, err := r.NameOwner(skeleton)
		if err == nil && owner != who.ID {
			return s.refuseTaken(r, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", refusal(err, "look up a name")
	}
	return skeleton, nil
}

// takeNick makes a skeleton who's in the group, unless another member there has it.
func (d *deed) takeNick(skeleton string) error {
	if skeleton != "" {
		owner, err := d.tx.NickOwner(skeleton)
		switch {
		case err == nil && owner != d.who.ID:
			return refuseNameTaken("")
		case err != nil && !errors.Is(err, ErrNotFound):
			return fmt.Errorf("look up a name in the group: %w", err)
		}
	}
	return d.tx.SetNickSkeleton(d.who.ID, skeleton)
}

// groupState is a group as who has it, with the cursors not written yet.
func (s *Service) groupState(ctx context.Context, who *User, id GroupID) (state *GroupState, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		group, m, err := s.group(r, who, id)
		if err != nil {
			return err
		}
		state = &GroupState{GroupID: id, Me: group.Me}
		if m.Active() {
			state.Draft = m.Draft
		}
		return nil
	})
	if err != nil {
		return nil, refusal(err, fmt.Sprintf("read group %s", id))
	}
	return state, nil
}
