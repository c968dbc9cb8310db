package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"qun/internal/chat"
)

// GuestToken makes the token of a guest who comes for the first time, or anew under another nickname. The nickname in the
// token is the one the guest bears from now on.
func (s *Service) GuestToken(guest chat.User) string { return s.seal(guest, 0) }

// Renamed is the token of the same guest under another nickname. The caller has checked the name.
func (s *Service) Renamed(guest *Identity, nickName string) (chat.User, string) {
	user := guest.User
	user.NickName = nickName
	return user, s.seal(user, guest.version)
}

// seal lays a guest's token out: "g." payload "." HMAC-SHA256 of everything before that second dot.
func (s *Service) seal(guest chat.User, version int) string {
	signed := guestPrefix + encoding.EncodeToString(guestPayload(guest, version))
	return signed + "." + encoding.EncodeToString(s.sign(signed))
}

func (s *Service) sign(signed string) []byte {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}

// guest opens a guest's token and asks the store whether it was revoked since, or the guest became a member.
func (s *Service) guest(ctx context.Context, token string) (*Identity, error) {
	guest, version, err := s.open(token)
	if err != nil {
		return nil, err
	}
	account, err := s.store.Account(ctx, guest.ID)
	switch {
	case errors.Is(err, ErrNotFound): // has not spoken yet
		return &Identity{User: guest, version: version}, nil
	case err != nil:
		return nil, fmt.Errorf("look up a guest: %w", err)
	case account.Disabled, !account.User.Guest, account.TokenVersion != version:
		return nil, ErrUnauthorized
	}
	user := account.User
	user.NickName = guest.NickName
	return &Identity{User: user, version: version}, nil
}

// open verifies the signature first, in constant time, and only then looks at what was signed.
func (s *Service) open(token string) (guest chat.User, version int, err error) {
	dot := strings.LastIndexByte(token, '.')
	signed, signature := token[:dot], token[dot+1:] // there is a dot: the prefix has one
	mac, err := encoding.DecodeString(signature)
	if err != nil || !hmac.Equal(mac, s.sign(signed)) {
		return chat.User{}, 0, ErrUnauthorized
	}
	payload, err := encoding.DecodeString(strings.TrimPrefix(signed, guestPrefix))
	if err != nil {
		return chat.User{}, 0, ErrUnauthorized
	}
	return parseGuest(payload)
}

func parseGuest(payload []byte) (guest chat.User, version int, err error) {
	v, n := binary.Uvarint(payload)
	if n <= 0 || v > 1<<31-1 {
		return chat.User{}, 0, ErrUnauthorized
	}
	payload = payload[n:]
	size, n := binary.Uvarint(payload)
	if n <= 0 || size > uint64(len(payload)-n) {
		return chat.User{}, 0, ErrUnauthorized
	}
	payload = payload[n:]
	id := chat.UserID(payload[:size])
	guest = chat.User{
		ID: id, NickName: string(payload[size:]), Guest: true, Presence: chat.PresenceOffline, CreatedAt: madeAt(id),
	}
	return guest, int(v), nil
}

// madeAt is the time that a UUIDv7 begins with: 48 bits of milliseconds (RFC 9562, 5.7).
func madeAt(id chat.UserID) chat.Time {
	digits := strings.Replace(string(id), "-", "", 1)
	if len(digits) < 12 {
		return 0
	}
	ms, err := strconv.ParseInt(digits[:12], 16, 64)
	if err != nil {
		return 0
	}
	return chat.Time(ms)
}
