package chat

import "context"

// Leave ends who's own membership. An owner hands the group over first, unless it is alone, which dissolves the group,
// or only guests are left, who cannot own one. Who waits to be let in waits no more; a guest who never spoke leaves
// nothing behind.
func (s *Service) Leave(ctx context.Context, who *User, g GroupID) error {
	waits, err := s.waitsFor(ctx, who, g)
	if err != nil {
		return err
	}
	if waits {
		return s.Withdraw(ctx, who, g)
	}
	return s.act(ctx, who, g, ActLeave, (*deed).leave)
}

func (d *deed) leave() error {
	if !d.me.Active() {
		return nil
	}
	if d.me.Role == RoleOwner && d.group.MemberCount == 1 {
		return d.dissolve()
	}
	if d.me.Role == RoleOwner {
		if heir, err := d.tx.HasHeir(d.who.ID); err != nil {
			return err
		} else if heir {
			return refuseOwnerLeaves()
		}
	}
	d.me.State, d.me.Role = MemberLeft, RoleMember
	if err := d.tx.PutMembership(d.me); err != nil {
		return err
	}
	return d.say(SystemAct{Act: SystemLeft}, "")
}

// Dissolve ends a group for everybody at once: whatever its size, it is one row that changes. Its address is free.
func (s *Service) Dissolve(ctx context.Context, who *User, g GroupID) error {
	return s.act(ctx, who, g, ActDissolve, (*deed).dissolve)
}

func (d *deed) dissolve() error {
	if err := d.tell(SystemAct{Act: SystemDissolved, Value: d.group.Name}, ""); err != nil {
		return err
	}
	if err := d.tx.SetAddress("", ""); err != nil {
		return err
	}
	g := d.tx.Group()
	g.DissolvedAt = d.now()
	return d.tx.PutGroup(g)
}
