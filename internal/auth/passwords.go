package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"qun/internal/chat"
)

const (
	minPassword = 8   // code points
	maxPassword = 200 // bytes
	saltSize    = 16
	keySize     = 32

	// maxHashing bounds how many wait for a password to be hashed; more are told to come again.
	maxHashing = 64
)

// Cost is what one argon2id hash costs, and who tries passwords with it.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
}

// defaultCost is the least that OWASP recommends (2024): about 25 ms of one core.
var defaultCost = Cost{Memory: 19 << 10, Passes: 2}

// passwords hashes passwords, a few at a time: each takes its memory and a core.
type passwords struct {
	// Set once.
	cost   Cost
	places chan struct{} // a token for each hash that may be computed at once
	derive func(password, salt []byte, cost Cost) []byte
	nobody string // what a password is compared with that nobody has

	mu      sync.Mutex // guards below
	waiting int        // for a place, or in one
}

func newPasswords(cost Cost) *passwords {
	if cost == (Cost{}) {
		cost = defaultCost
	}
	p := &passwords{cost: cost, places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), derive: argon2id}
	salt, key := make([]byte, saltSize), make([]byte, keySize)
	rand.Read(salt)
	rand.Read(key)
	p.nobody = encodeHash(cost, salt, key)
	return p
}

func argon2id(password, salt []byte, cost Cost) []byte {
	return argon2.IDKey(password, salt, cost.Passes, cost.Memory, 1, keySize)
}

// hash makes what the store keeps of a password.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	key, err := p.compute(ctx, password, salt, p.cost)
	if err != nil {
		return "", err
	}
	return encodeHash(p.cost, salt, key), nil
}

// matches compares a password with a hash. With hash "" it takes as long, and is false: nobody has that password.
func (p *passwords) matches(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		hash = p.nobody
	}
	cost, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	got, err := p.compute(ctx, password, salt, cost)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

// compute waits for a place. When too many wait already it refuses at once.
func (p *passwords) compute(ctx context.Context, password string, salt []byte, cost Cost) ([]byte, error) {
	p.mu.Lock()
	if p.waiting >= maxHashing {
		p.mu.Unlock()
		return nil, refuseBusy()
	}
	p.waiting++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
	}()
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.places }()
	return p.derive([]byte(norm.NFC.String(password)), salt, cost), nil
}

// checkPassword says what is wrong with a password somebody chose for the user of these names.
func checkPassword(password string, names ...string) error {
	password = norm.NFC.String(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return refusePasswordText()
	case utf8.RuneCountInString(password) < minPassword:
		return refuseShortPassword()
	case len(password) > maxPassword:
		return refuseLongPassword()
	}
	for _, name := range names {
		if strings.EqualFold(norm.NFC.String(name), password) {
			return refuseNameAsPassword()
		}
	}
	return nil
}

// encodeHash lays a hash out as argon2's own tools do: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func encodeHash(cost Cost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, cost.Memory, cost.Passes,
		encoding.EncodeToString(salt), encoding.EncodeToString(key))
}

func decodeHash(hash string) (cost Cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return Cost{}, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=1", &cost.Memory, &cost.Passes); err != nil || cost.Passes == 0 {
		return Cost{}, nil, nil, errHash
	}
	if salt, err = encoding.DecodeString(parts[4]); err == nil {
		key, err = encoding.DecodeString(parts[5])
	}
	if err != nil || len(key) != keySize {
		return Cost{}, nil, nil, errHash
	}
	return cost, salt, key, nil
}

// errHash must not hold the hash.
var errHash = fmt.Errorf("a stored password is of a form this version does not know")

func refuseBusy() *chat.Error {
	e := chat.Refuse(chat.CodeBusy, "The server is busy. Try again in a moment.", "服务器繁忙，请稍后再试。")
	e.RetryAfter = time.Second
	return e
}
