package chat

import "context"

// Forever is a time that does not come.
const Forever Time = 253_402_300_799_999 // the end of the year 9999, the last that RFC 3339 can say

// Mute silences one member or, without User, all but owner and admins; or, with On false, lets them speak again.
type Mute struct {
	Group GroupID `json:"groupId"`
	User  UserID  `json:"userId,omitempty"`
	On    *bool   `json:"on,omitempty"`    // nil: true
	Until Time    `json:"until,omitempty"` // of one; 0: for good
}

// Muted is what was muted, as it is now.
type Muted struct {
	Member *Member `json:"member,omitempty"`
	Group  *Group  `json:"group,omitempty"`
}

// Mute does what in says. What is so already takes no number.
func (s *Service) Mute(ctx context.Context, who *User, in Mute) (*Muted, error) {
	on := in.On == nil || *in.On
	if in.Until != 0 && (in.Until <= s.now() || in.User == "" || !on) {
		return nil, refuseUntil()
	}
	muted := &Muted{}
	err := s.act(ctx, who, in.Group, ActMute, func(d *deed) (err error) {
		if in.User == "" {
			muted.Group, err = d.muteAll(on)
			return err
		}
		muted.Member, err = d.mute(in.User, on, in.Until)
		return err
	})
	if err != nil {
		return nil, err
	}
	return muted, nil
}

func (d *deed) mute(u UserID, on bool, until Time) (*Member, error) {
	m, err := d.member(u)
	if err != nil {
		return nil, err
	}
	act := SystemAct{Act: SystemMuted, Target: u}
	switch {
	case !on:
		until, act.Act = 0, SystemUnmuted
	case until == 0:
		until = Forever
	default:
		act.Value = until.String()
	}
	if m.MutedUntil == until || !on && m.MutedUntil <= d.now() {
		return &m.Member, nil
	}
	m.MutedUntil = until
	if err := d.tx.PutMembership(m); err != nil {
		return nil, err
	}
	return &m.Member, d.tell(act, m.NickName)
}

func (d *deed) muteAll(on bool) (*Group, error) {
	g := d.group
	if g.MutedAll == on {
		return g, nil
	}
	g.MutedAll = on
	if err := d.tx.PutGroup(g); err != nil {
		return nil, err
	}
	act := SystemAct{Act: SystemMutedAll}
	if !on {
		act.Act = SystemUnmutedAll
	}
	if err := d.tell(act, ""); err != nil {
		return nil, err
	}
	return d.tx.Group(), nil
}
