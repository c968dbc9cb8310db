package auth

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"qun/internal/chat"
)

// TicketKind says what a code is good for.
type TicketKind string

const (
	TicketSetup   TicketKind = "setup"   // makes the first administrator
	TicketInvite  TicketKind = "invite"  // lets people register
	TicketReset   TicketKind = "reset"   // sets a user's password
	TicketHandoff TicketKind = "handoff" // signs another device in
)

const (
	// SetupLife is how long the link lives that a server without an administrator prints at its start.
	SetupLife = 24 * time.Hour
	// ResetLife is how long an administrator's link to a new password lives.
	ResetLife = 24 * time.Hour
	// HandoffLife is how long a code lives that moves a user to another device.
	HandoffLife = time.Minute

	// codeSize is the number of random bytes in a code: more than can be guessed, and short enough for a small QR code.
	codeSize = 16
	// maxCode bounds what is looked at.
	maxCode = 64
)

// Ticket is a link or code that lets somebody in. The store keeps its hash.
type Ticket struct {
	Hash      TokenHash
	Kind      TicketKind
	UserID    chat.UserID // whom it lets in; "" with TicketSetup and TicketInvite
	Data      []byte      // of a guest: its token's payload
	Uses      int         // left
	CreatedBy chat.UserID // "" for the server itself
	CreatedAt time.Time
	ExpiresAt time.Time
}

// issue makes a ticket and returns its code.
func (s *Service) issue(ctx context.Context, t Ticket, life time.Duration) (code string, expires time.Time, err error) {
	secret := make([]byte, codeSize)
	rand.Read(secret)
	code = encoding.EncodeToString(secret)
	t.Hash, t.CreatedAt = hashToken(code), s.now()
	t.ExpiresAt = t.CreatedAt.Add(life)
	if err := s.store.CreateTicket(ctx, t); err != nil {
		return "", time.Time{}, fmt.Errorf("make a %s code: %w", t.Kind, err)
	}
	return code, t.ExpiresAt, nil
}

// take uses a ticket once. One that is used up, has run out, or never was is refused alike.
func (s *Service) take(ctx context.Context, kind TicketKind, code string) (*Ticket, error) {
	if len(code) > maxCode {
		return nil, refuseTicket()
	}
	t, err := s.store.TakeTicket(ctx, kind, hashToken(code), s.now())
	if errors.Is(err, ErrNotFound) {
		return nil, refuseTicket()
	}
	if err != nil {
		return nil, fmt.Errorf("take a %s code: %w", kind, err)
	}
	return t, nil
}

// Setup makes the code with which somebody becomes the first administrator. It is good once; an earlier one is good no
// more.
func (s *Service) Setup(ctx context.Context) (code string, expires time.Time, err error) {
	if err := s.store.DeleteTickets(ctx, TicketSetup, ""); err != nil {
		return "", time.Time{}, fmt.Errorf("end the setup code of before: %w", err)
	}
	return s.issue(ctx, Ticket{Kind: TicketSetup, Uses: 1}, SetupLife)
}

// Invite makes a code with which so many people may register.
func (s *Service) Invite(ctx context.Context, by chat.UserID, uses int, life time.Duration) (code string, expires time.Time, err error) {
	return s.issue(ctx, Ticket{Kind: TicketInvite, Uses: uses, CreatedBy: by}, life)
}

// Redeem uses a code of Setup or Invite once. When what it was for comes to nothing, giveBack makes it good again.
func (s *Service) Redeem(ctx context.Context, kind TicketKind, code string) (giveBack func(context.Context) error, err error) {
	t, err := s.take(ctx, kind, code)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return s.store.ReturnTicket(ctx, *t) }, nil
}

// ResetLink makes the code with which a member sets a new password without the old one.
func (s *Service) ResetLink(ctx context.Context, by, id chat.UserID) (code string, expires time.Time, err error) {
	account, err := s.AccountOf(ctx, id)
	if err != nil {
		return "", time.Time{}, err
	}
	if account.User.Guest || account.User.Bot {
		return "", time.Time{}, refuseUser()
	}
	if err := s.store.DeleteTickets(ctx, TicketReset, id); err != nil {
		return "", time.Time{}, fmt.Errorf("end the reset code of before: %w", err)
	}
	return s.issue(ctx, Ticket{Kind: TicketReset, UserID: id, Uses: 1, CreatedBy: by}, ResetLife)
}

// Reset sets the password of whom a code of ResetLink is for. A password that is refused does not use the code up.
func (s *Service) Reset(ctx context.Context, code, password string) (chat.UserID, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	t, err := s.take(ctx, TicketReset, code)
	if err != nil {
		return "", err
	}
	if err := s.SetPassword(ctx, t.UserID, password); err != nil {
		return "", errors.Join(err, s.store.ReturnTicket(ctx, *t))
	}
	return t.UserID, nil
}

// Handoff makes a code that signs who in on another device, within a minute.
func (s *Service) Handoff(ctx context.Context, who *Identity) (code string, expires time.Time, err error) {
	if who.Bot() {
		return "", time.Time{}, refuseAccount()
	}
	t := Ticket{Kind: TicketHandoff, UserID: who.User.ID, Uses: 1, CreatedBy: who.User.ID}
	if who.User.Guest {
		t.Data = guestPayload(who.User, who.version)
	}
	return s.issue(ctx, t, HandoffLife)
}

// TakeHandoff is the other device's side of Handoff: it returns who it is from now on, and its token.
func (s *Service) TakeHandoff(ctx context.Context, code, device string) (*chat.User, string, error) {
	t, err := s.take(ctx, TicketHandoff, code)
	if err != nil {
		return nil, "", err
	}
	if len(t.Data) > 0 {
		guest, version, err := parseGuest(t.Data)
		if err != nil {
			return nil, "", err
		}
		return s.sameGuest(ctx, s.seal(guest, version))
	}
	account, err := s.store.Account(ctx, t.UserID)
	if err != nil {
		return nil, "", fmt.Errorf("look up an account: %w", err)
	}
	if account.Disabled {
		return nil, "", refuseTicket()
	}
	token, err := s.SignIn(ctx, account.User.ID, device)
	return &account.User, token, err
}

// sameGuest is who a guest's token speaks for, unless it became a member or was kept out meanwhile.
func (s *Service) sameGuest(ctx context.Context, token string) (*chat.User, string, error) {
	who, err := s.guest(ctx, token)
	if errors.Is(err, ErrUnauthorized) {
		return nil, "", refuseTicket()
	}
	if err != nil {
		return nil, "", err
	}
	return &who.User, token, nil
}

// guestPayload is uvarint version, uvarint length of the id, id, nickname.
func guestPayload(guest chat.User, version int) []byte {
	payload := binary.AppendUvarint(nil, uint64(version))
	payload = binary.AppendUvarint(payload, uint64(len(guest.ID)))
	payload = append(payload, guest.ID...)
	return append(payload, guest.NickName...)
}
