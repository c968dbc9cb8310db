package chat

import "context"

// maxStaff bounds the owner and admins of a group: each hears of every join request.
const maxStaff = 50

// NewRole gives a member a role; RoleOwner hands the group over, and its owner becomes an admin.
type NewRole struct {
	Group GroupID `json:"groupId"`
	User  UserID  `json:"userId"`
	Role  Role    `json:"role"`
}

// SetRole does what in says. What is so already takes no number.
func (s *Service) SetRole(ctx context.Context, who *User, in NewRole) (member *Member, err error) {
	if in.Role != RoleOwner && in.Role != RoleAdmin && in.Role != RoleMember {
		return nil, refuseRoleName()
	}
	err = s.act(ctx, who, in.Group, ActAppoint, func(d *deed) error {
		m, err := d.member(in.User)
		if err != nil {
			return err
		}
		member = &m.Member
		switch {
		case m.Guest:
			return refuseGuestRole()
		case in.Role == m.Role:
			return nil
		case in.Role == RoleOwner:
			return d.handOver(m)
		}
		return d.appoint(m, in.Role)
	})
	if err != nil {
		return nil, err
	}
	return member, nil
}

func (d *deed) appoint(m *Membership, role Role) error {
	if role == RoleAdmin {
		staff, err := d.tx.Staff()
		if err != nil {
			return err
		}
		if len(staff) >= maxStaff {
			return refuseStaff(maxStaff)
		}
	}
	m.Role = role
	if err := d.tx.PutMembership(m); err != nil {
		return err
	}
	return d.tell(SystemAct{Act: SystemRole, Target: m.UserID, Value: string(role)}, m.NickName)
}

// handOver makes m the owner. The group never has two, nor none in between: nobody sees the middle of a transaction.
func (d *deed) handOver(m *Membership) error {
	d.me.Role, m.Role = RoleAdmin, RoleOwner
	if err := d.tx.PutMembership(d.me); err != nil {
		return err
	}
	if err := d.tx.PutMembership(m); err != nil {
		return err
	}
	return d.tell(SystemAct{Act: SystemOwner, Target: m.UserID}, m.NickName)
}

// roleOf is with which role a user becomes a member, or a guest who is one goes on with an account. A group that guests
// made, or that its owner left to guests, belongs to the first member who has an account: nobody else could lead it.
func roleOf(tx GroupTx, who *User) (Role, error) {
	if who.Guest || who.Bot || tx.Group().Kind == KindDirect {
		return RoleMember, nil
	}
	staff, err := tx.Staff()
	if err != nil || len(staff) > 0 {
		return RoleMember, err
	}
	heir, err := orNone(tx.Heir(who.ID))
	if err != nil {
		return RoleMember, err
	}
	if heir == nil {
		return RoleOwner, nil
	}
	heir.Role = RoleOwner // two became members with an account at once
	return RoleMember, tx.PutMembership(heir)
}
