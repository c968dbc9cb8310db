package chat

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"net/url"
)

// Subscription is a browser that wants to be called when its user is away (Web Push, RFC 8030).
type Subscription struct {
	Endpoint  string // where the browser's maker takes what is for it; it is a secret
	P256DH    []byte // the browser's public key, a point of P-256
	Auth      []byte // 16 bytes that browser and server share
	UserID    UserID
	Session   []byte // hash of the session it came with: it ends with that; nil: with the user
	CreatedAt Time
	Calling
}

// Calling is how calling a device goes.
type Calling struct {
	Tries     int  // since it was reached last
	FailingAt Time // since when it was not reached
	DueAt     Time // not to be tried earlier
}

// Callee is a device of a member who may have to be called because of a group.
type Callee struct {
	Subscription
	NickName string
	Settings []byte // of the user
	Notify   Notify
	ReadSeq  Seq
	FromSeq  Seq
	Seq      Seq  // of the message the device was told of last
	At       Time // when that was
}

// Called is what came of a call.
type Called struct {
	Endpoint string
	Group    GroupID
	Seq      Seq  // the message told of; 0: none was
	At       Time // when
	Gone     bool // the device is no more
	Calling
}

// WebPushStore keeps the devices.
type WebPushStore interface {
	// PutSubscription keeps a device; an endpoint that is there already is this user's from now on.
	PutSubscription(ctx context.Context, s *Subscription) error
	// DropSubscription forgets a device of the user. One that is not there is no error.
	DropSubscription(ctx context.Context, u UserID, endpoint string) error
	// ClaimSubscriptions lends those of the devices that nobody else has, until a time.
	ClaimSubscriptions(ctx context.Context, now, until Time, endpoints []string) ([]string, error)
	// SettleCalls ends what was lent, and keeps what came of it.
	SettleCalls(ctx context.Context, calls []Called) error
}

// WebPushReader says who may have to be called.
type WebPushReader interface {
	// Subscriptions is how many devices there are.
	Subscriptions() (int, error)
	// Callees are the devices that are due, lent or not, of active members with something unread in a group, unless they
	// want nothing of it.
	Callees(g GroupID, now Time) ([]*Callee, error)
	// CalleeGroups are the groups with devices that are due and something unread said since a time; with failed, only of
	// devices that were not reached last.
	CalleeGroups(now, since Time, failed bool) ([]GroupID, error)
}

// PushKeys are a device's keys, as the browser tells them.
type PushKeys struct {
	P256DH string `json:"p256dh"`
	Auth   string `json:"auth"`
}

// NewSubscription is what a browser's PushSubscription says of itself.
type NewSubscription struct {
	Endpoint string   `json:"endpoint"`
	Keys     PushKeys `json:"keys"`
}

const (
	maxEndpoint = 2000 // bytes
	authSize    = 16   // bytes, RFC 8291
)

// PushKey is the server's public key for Web Push, which a browser wants before it subscribes.
func (s *Service) PushKey() string { return s.cfg.Courier.Key() }

// SubscribePush lets a device be called while its user is away. session is what the device came in with, nil if nothing.
func (s *Service) SubscribePush(ctx context.Context, who *User, in NewSubscription, session []byte) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	device, err := in.read()
	if err != nil {
		return err
	}
	if who.Guest {
		return refuseGuests()
	}
	device.UserID, device.Session, device.CreatedAt = who.ID, session, s.now()
	if err := s.store.PutSubscription(ctx, device); err != nil {
		return refusal(err, "keep a subscription")
	}
	s.cfg.Courier.SubscriptionsChanged()
	return nil
}

// UnsubscribePush ends that.
func (s *Service) UnsubscribePush(ctx context.Context, who *User, endpoint string) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	if err := s.store.DropSubscription(ctx, who.ID, endpoint); err != nil {
		return refusal(err, "drop a subscription")
	}
	s.cfg.Courier.SubscriptionsChanged()
	return nil
}

// read checks what a browser said.
func (in *NewSubscription) read() (*Subscription, error) {
	u, err := url.Parse(in.Endpoint)
	key, keyErr := readKey(in.Keys.P256DH)
	auth, authErr := readKey(in.Keys.Auth)
	_, pointErr := ecdh.P256().NewPublicKey(key)
	switch {
	case errors.Join(err, keyErr, authErr, pointErr) != nil,
		u.Scheme != "https", u.Hostname() == "", u.User != nil, len(in.Endpoint) > maxEndpoint, len(auth) != authSize:
		return nil, refuseSubscription()
	}
	return &Subscription{Endpoint: in.Endpoint, P256DH: key, Auth: auth}, nil
}

// readKey takes base64url as browsers write it, with or without padding.
func readKey(text string) ([]byte, error) {
	for len(text) > 0 && text[len(text)-1] == '=' {
		text = text[:len(text)-1]
	}
	return base64.RawURLEncoding.DecodeString(text)
}
