package chat

import (
	"context"
	"errors"

	"qun/internal/names"
)

// BotStore keeps bots.
type BotStore interface {
	// CreateBot stores a bot that a member made, and who made it in the audit; names are reserved as CreateUser does.
	CreateBot(ctx context.Context, bot *User, owner UserID, skeletons []string) error
}

// BotReader finds bots.
type BotReader interface {
	// BotsOf are the bots that a member made, the oldest first; not those that were deleted.
	BotsOf(owner UserID) ([]*User, error)
	// BotOwner is who made a bot.
	BotOwner(bot UserID) (UserID, error)
}

// maxBots bounds how many bots a member may have.
const maxBots = 20

// CreateBot makes a bot of by's. It is in no group until an admin of one adds it.
func (s *Service) CreateBot(ctx context.Context, by *User, nickName string) (*User, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	if by.Guest || by.Bot {
		return nil, refuseAccount()
	}
	nick, err := names.Member(nickName, s.Limits().NickName)
	if err != nil {
		return nil, s.badName(err)
	}
	now := s.cfg.Now()
	bot := &User{ID: UserID(newID(now)), NickName: nick, Bot: true, Presence: PresenceOffline, CreatedAt: TimeOf(now)}
	err = s.store.View(ctx, func(r Reader) error {
		bots, err := r.BotsOf(by.ID)
		if err == nil && len(bots) >= maxBots {
			err = refuseTooManyBots(maxBots)
		}
		return err
	})
	if err == nil {
		err = s.store.CreateBot(ctx, bot, by.ID, []string{names.Skeleton(nick)})
	}
	if err = s.orTaken(ctx, err, nick); err != nil {
		return nil, refusal(err, "create a bot")
	}
	return bot, nil
}

// Bots are by's bots.
func (s *Service) Bots(ctx context.Context, by *User) (bots []*User, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		bots, err = r.BotsOf(by.ID)
		return err
	})
	if err != nil {
		return nil, refusal(err, "list bots")
	}
	return bots, nil
}

// OwnBot is a bot that by made; one of somebody else, and one that is none, are not found.
func (s *Service) OwnBot(ctx context.Context, by *User, id UserID) (bot *User, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		owner, err := r.BotOwner(id)
		if errors.Is(err, ErrNotFound) || err == nil && owner != by.ID {
			return refuseUser()
		} else if err != nil {
			return err
		}
		bot, err = r.User(id)
		return err
	})
	if err != nil {
		return nil, refusal(err, "look up a bot")
	}
	return bot, nil
}

// BotChanges are what the maker of a bot changes of it; nil stays as it is.
type BotChanges struct {
	NickName *string `json:"nickName,omitempty"`
	Avatar   *FileID `json:"avatar,omitempty"` // a picture that its maker uploaded; "" for none
}

// UpdateBot changes a bot that by made. Its groups learn of it a moment later, as of anybody's new name or picture.
func (s *Service) UpdateBot(ctx context.Context, by *User, id UserID, in BotChanges) (*User, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	bot, err := s.OwnBot(ctx, by, id)
	if err != nil {
		return nil, err
	}
	changed := *bot
	if in.NickName != nil {
		if changed.NickName, err = names.Member(*in.NickName, s.cfg.Limits.NickName); err != nil {
			return nil, s.badName(err)
		}
	}
	if in.Avatar != nil {
		if changed.Avatar, err = s.NewAvatar(ctx, by, *in.Avatar); err != nil {
			return nil, err
		}
	}
	me, err := s.putUser(ctx, &changed, nil)
	if err != nil {
		return nil, err
	}
	return me.User, nil
}

// DeleteBot deletes a bot that by made: it leaves its groups, and its name is free again. What it said stays.
func (s *Service) DeleteBot(ctx context.Context, by *User, id UserID) error {
	if _, err := s.OwnBot(ctx, by, id); err != nil {
		return err
	}
	return s.DeleteUser(ctx, id, false)
}

// AddBot brings a bot into a group of which by is an admin.
func (s *Service) AddBot(ctx context.Context, by *User, id GroupID, bot UserID) (*Member, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	user, err := s.User(ctx, bot)
	if err != nil {
		return nil, err
	}
	if !user.Bot || user.Deleted() {
		return nil, refuseUser()
	}
	var added *Member
	err = s.store.Change(ctx, id, func(tx GroupTx) error {
		added, err = s.letBotIn(tx, by, user)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		err = refuseGroup()
	}
	if err != nil {
		return nil, refusal(err, "add a bot to a group")
	}
	s.announcer.settle(ctx, counter{group: id})
	return added, nil
}

func (s *Service) letBotIn(tx GroupTx, by, bot *User) (*Member, error) {
	g := tx.Group()
	mine, err := orNone(tx.Membership(by.ID))
	switch {
	case err != nil:
		return nil, err
	case g.DissolvedAt != 0, !mine.Active(), g.Kind == KindDirect:
		return nil, refuseGroup()
	case mine.Role == RoleMember:
		return nil, refuseNotAdmin()
	}
	m, err := orNone(tx.Membership(bot.ID))
	if err != nil {
		return nil, err
	}
	if m.Active() {
		return &m.Member, nil
	}
	if limit := s.Limits().MembersPerGroup; limit > 0 && g.MemberCount >= limit {
		return nil, refuseFull()
	}
	m = newMembership(g.ID, bot, RoleMember, s.now())
	if err := tx.PutMembership(m); err != nil {
		return nil, err
	}
	return &m.Member, nil
}
