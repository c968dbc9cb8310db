package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"qun/internal/names"
)

// NewGuest makes a guest of a name somebody typed. The name is cut and cleaned, never refused for its shape; an empty
// one becomes 访客 and four digits. One that a member bears or that imitates one gets the guests' suffix, or, when
// strict, is refused with CodeNameTaken and a suggestion. Nothing is stored.
func (s *Service) NewGuest(ctx context.Context, nickName string, strict bool) (*User, error) {
	name := names.Guest(nickName, s.Limits().NickName)
	if name == "" {
		name = names.DefaultGuest(rand.UintN(10000))
	}
	err := s.store.View(ctx, func(r Reader) error {
		taken, err := nameTaken(r, name)
		if err != nil || !taken {
			return err
		}
		if strict {
			return s.refuseTaken(r, name)
		}
		name = names.WithSuffix(name, s.Limits().NickName)
		return nil
	})
	if err != nil {
		return nil, refusal(err, "look up a guest's name")
	}
	now := s.cfg.Now()
	return &User{ID: UserID(newID(now)), NickName: name, Guest: true, Presence: PresenceOffline, CreatedAt: TimeOf(now)}, nil
}

// nameTaken reports whether name is, or looks like, a member's or the server's own.
func nameTaken(r UserReader, name string) (bool, error) {
	skeleton := names.Skeleton(name)
	if names.Reserved(skeleton) {
		return true, nil
	}
	_, err := r.NameOwner(skeleton)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// suggestions is how many names are tried before none is suggested.
const suggestions = 20

// refuseTaken refuses name, with the first free one like it.
func (s *Service) refuseTaken(r UserReader, name string) error {
	for n := range suggestions {
		other := names.Suggestion(name, n, s.Limits().NickName)
		taken, err := nameTaken(r, other)
		if err != nil {
			return fmt.Errorf("look up a name: %w", err)
		}
		if !taken {
			return refuseNameTaken(other)
		}
	}
	return refuseNameTaken("")
}

// rename is who, or, when a member bears that guest's name by now, the guest with the suffix.
func (s *Service) rename(r UserReader, who *User) (*User, error) {
	if !who.Guest || strings.HasSuffix(who.NickName, names.Suffix) {
		return who, nil
	}
	taken, err := nameTaken(r, who.NickName)
	if err != nil || !taken {
		return who, err
	}
	marked := *who
	marked.NickName = names.WithSuffix(who.NickName, s.Limits().NickName)
	return &marked, nil
}
