package push

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

const (
	vapidSetting = "vapid-key"
	// vapidLife is how long a token is good; a day is the most (RFC 8292, section 2).
	vapidLife = 12 * time.Hour
	keySize   = 32
)

// vapid is who this server is to the makers of browsers (RFC 8292). A browser's subscription is bound to the key, so it
// is kept in the store.
type vapid struct {
	key     *ecdsa.PrivateKey
	public  string // as browsers want it: an uncompressed point in base64url
	contact string // "": none is said
}

// loadVAPID reads the key, making it at the first start.
func loadVAPID(ctx context.Context, store Store, contact string) (*vapid, error) {
	fresh, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	raw, err := fresh.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	if raw, err = store.Setting(ctx, vapidSetting, raw); err != nil {
		return nil, err
	}
	return parseVAPID(raw, contact)
}

func parseVAPID(raw []byte, contact string) (*vapid, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, fmt.Errorf("parse the key: %w", err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode the public key: %w", err)
	}
	return &vapid{key, base64.RawURLEncoding.EncodeToString(public), contact}, nil
}

// authorization is the header by which a push service knows who sends.
func (v *vapid) authorization(endpoint string, now time.Time) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("read an endpoint: %w", err)
	}
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub,omitempty"`
	}{u.Scheme + "://" + u.Host, now.Add(vapidLife).Unix(), v.contact})
	if err != nil {
		return "", fmt.Errorf("encode a token: %w", err)
	}
	token := encode([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(token))
	r, s, err := ecdsa.Sign(rand.Reader, v.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	signature := make([]byte, 2*keySize)
	r.FillBytes(signature[:keySize])
	s.FillBytes(signature[keySize:])
	return "vapid t=" + token + "." + encode(signature) + ", k=" + v.public, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
