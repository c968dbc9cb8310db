package chat

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"qun/internal/names"
)

// Register makes a member of nobody, or of a guest, who keeps its id and with it all it said and where it is. Without a
// nickname the guest keeps its own; without a username the nickname serves for both.
func (s *Service) Register(ctx context.Context, guest *User, in NewMember) (*User, error) {
	return s.register(ctx, guest, in, func(UserTx) error { return nil })
}

// AddUser makes a member. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) AddUser(ctx context.Context, by *User, in NewMember) (*User, error) {
	return s.register(ctx, nil, in, func(tx UserTx) error {
		return tx.Audit(&AuditEntry{At: s.now(), Act: AuditAddUser, By: by.ID, Target: tx.User().ID})
	})
}

// AuditAddUser is what the audit calls an account that an administrator made.
const AuditAddUser = "addUser"

// register makes a member, and notes who made it, in one transaction.
func (s *Service) register(ctx context.Context, guest *User, in NewMember, note func(UserTx) error) (*User, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	u, err := s.newMember(guest, in)
	if err != nil {
		return nil, err
	}
	var made *User
	err = s.store.OpenUser(ctx, u, func(tx UserTx) error {
		row := tx.User()
		if !row.Guest {
			return refuseRegistered()
		}
		row.NickName, row.Username, row.Guest = u.NickName, u.Username, false
		if err := tx.PutUser(row, skeletons(u.NickName, u.Username)); err != nil {
			return err
		}
		made = tx.User()
		if err := tx.PutCredentials(Credentials{Password: in.Password, Admin: in.Admin}); err != nil {
			return err
		}
		return note(tx)
	})
	if err = s.orTaken(ctx, err, u.NickName); err != nil {
		return nil, refusal(err, "register a member")
	}
	s.teller.ring()
	return made, nil
}

// newMember is who in asks for, on the row of a guest.
func (s *Service) newMember(guest *User, in NewMember) (*User, error) {
	now := s.cfg.Now()
	u := &User{ID: UserID(newID(now)), Guest: true, Presence: PresenceOffline, CreatedAt: TimeOf(now)}
	if guest != nil {
		if !guest.Guest {
			return nil, refuseRegistered()
		}
		*u = *guest
		if in.NickName == "" {
			in.NickName = strings.TrimSuffix(guest.NickName, names.Suffix)
		}
	}
	if in.Username == "" {
		in.Username = in.NickName
	}
	if in.NickName == "" {
		in.NickName = in.Username
	}
	var err error
	if u.Username, err = names.Username(in.Username); err != nil {
		return nil, s.badName(err)
	}
	if u.NickName, err = names.Member(in.NickName, s.Limits().NickName); err != nil {
		return nil, s.badName(err)
	}
	return u, nil
}

// orTaken says which name to try instead when a store found one taken.
func (s *Service) orTaken(ctx context.Context, err error, name string) error {
	if errors.Is(err, ErrNameTaken) {
		return s.store.View(ctx, func(r Reader) error { return s.refuseTaken(r, name) })
	}
	return err
}

// maxSettings bounds what the apps of a user may keep, in bytes of JSON.
const maxSettings = 16 << 10

// MyChanges are what a user changes of itself; nil stays as it is.
type MyChanges struct {
	NickName *string         `json:"nickName,omitempty"`
	Avatar   *FileID         `json:"avatar,omitempty"`   // a picture that was uploaded; "" for none
	Settings json.RawMessage `json:"settings,omitempty"` // a JSON object, kept as it is
}

// Me is a user as it is after a change, with its settings.
type Me struct {
	User     *User           `json:"user"`
	Settings json.RawMessage `json:"settings"`
}

// UpdateMe changes who. Its groups learn of a new name or picture a moment later, each by its own next number. What is as
// it was takes no number. A guest that never spoke has nothing that could be kept: its new name is in its token.
func (s *Service) UpdateMe(ctx context.Context, who *User, in MyChanges) (*Me, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	u, err := s.changed(ctx, who, in)
	if err != nil {
		return nil, err
	}
	return s.putUser(ctx, u, in.Settings)
}

// putUser keeps u's name and picture, and its settings unless they are nil, and tells whom it concerns.
func (s *Service) putUser(ctx context.Context, u *User, settings json.RawMessage) (me *Me, err error) {
	err = s.store.ChangeUser(ctx, u.ID, func(tx UserTx) error {
		me, err = putMe(tx, u, settings)
		return err
	})
	if errors.Is(err, ErrNotFound) && u.Guest {
		if settings != nil {
			return nil, refuseAccount()
		}
		return &Me{User: u, Settings: json.RawMessage(`{}`)}, nil
	}
	if err = s.orTaken(ctx, err, u.NickName); err != nil {
		return nil, refusal(err, "change a user")
	}
	s.announcer.settle(ctx, counter{user: u.ID})
	s.teller.ring()
	return me, nil
}

// changed is who as in wants it, after the rules that need no lock.
func (s *Service) changed(ctx context.Context, who *User, in MyChanges) (*User, error) {
	u := *who
	if in.Settings != nil && (len(in.Settings) > maxSettings || !isObject(in.Settings)) {
		return nil, refuseSettings(maxSettings)
	}
	var err error
	if in.Avatar != nil && string(*in.Avatar) != who.Avatar {
		if who.Guest {
			return nil, refuseAccount()
		}
		if u.Avatar, err = s.NewAvatar(ctx, who, *in.Avatar); err != nil {
			return nil, err
		}
	}
	if in.NickName == nil || *in.NickName == who.NickName {
		return &u, nil
	}
	if who.Guest {
		var named *User
		if named, err = s.NewGuest(ctx, *in.NickName, true); err == nil {
			u.NickName = named.NickName
		}
		return &u, err
	}
	if u.NickName, err = names.Member(*in.NickName, s.Limits().NickName); err != nil {
		return nil, s.badName(err)
	}
	return &u, nil
}

func isObject(raw json.RawMessage) bool {
	return json.Valid(raw) && strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{") && !strings.Contains(string(raw), `\u0000`)
}

func putMe(tx UserTx, u *User, settings json.RawMessage) (*Me, error) {
	row := tx.User()
	if row.NickName != u.NickName || row.Avatar != u.Avatar {
		row.NickName, row.Avatar = u.NickName, u.Avatar
		if err := tx.PutUser(row, namesOf(row)); err != nil {
			return nil, err
		}
	}
	if settings != nil && string(settings) != string(tx.Settings()) {
		if err := tx.PutSettings(settings); err != nil {
			return nil, err
		}
	}
	return &Me{User: tx.User(), Settings: tx.Settings()}, nil
}

// namesOf are the names that nobody else may bear while u is called so; none, while u is a guest.
func namesOf(u *User) []string {
	switch {
	case u.Guest:
		return nil
	case u.Username == "":
		return []string{names.Skeleton(u.NickName)}
	}
	return skeletons(u.NickName, u.Username)
}

// Me is who with its settings.
func (s *Service) Me(ctx context.Context, who *User) (*Me, error) {
	me := &Me{User: who}
	err := s.store.View(ctx, func(r Reader) (err error) {
		me.Settings, _, err = r.Settings(who.ID)
		return err
	})
	if err != nil {
		return nil, refusal(err, "read settings")
	}
	return me, nil
}

// AuditDeleteUser is what the audit calls an account that an administrator deleted; its value is the name it had.
const AuditDeleteUser = "deleteUser"

// DeleteUser deletes an account, and the bots it made. The row stays, emptied: no name, no picture, no way in. What it
// said stays without its name or, with erase, as empty rows. Its groups are told step by step, a crash notwithstanding.
// Its name is free again at once: whoever takes it is somebody else, under another id.
func (s *Service) DeleteUser(ctx context.Context, id UserID, erase bool) error {
	return s.deleteUser(ctx, id, erase, nil)
}

// RemoveUser deletes an account of somebody else. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) RemoveUser(ctx context.Context, by *User, id UserID, erase bool) error {
	if by.ID == id {
		return refuseSelf()
	}
	return s.deleteUser(ctx, id, erase, by)
}

// deleteUser deletes an account; by is an administrator, or nil for the user itself.
func (s *Service) deleteUser(ctx context.Context, id UserID, erase bool, by *User) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	var bots []*User
	err := s.store.View(ctx, func(r Reader) (err error) {
		bots, err = r.BotsOf(id)
		return err
	})
	if err != nil {
		return refusal(err, "list bots")
	}
	news := NewsParted
	if erase {
		news = NewsErased
	}
	for _, u := range append(bots, &User{ID: id}) {
		err := s.store.ChangeUser(ctx, u.ID, func(tx UserTx) error {
			name := tx.User().NickName
			if err := tx.Delete(DeletedName, s.now(), news); err != nil || by == nil {
				return err
			}
			return tx.Audit(&AuditEntry{At: s.now(), Act: AuditDeleteUser, By: by.ID, Target: u.ID, Value: name})
		})
		if errors.Is(err, ErrNotFound) {
			err = refuseUser()
		}
		if err != nil {
			return refusal(err, "delete a user")
		}
	}
	s.teller.ring()
	return nil
}
