package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

const (
	saltSize   = 16
	recordSize = 4096 // RFC 8291, section 4: a push service need not take more
	// padTo makes all short payloads look alike in length.
	padTo = 512
)

// encrypt makes a payload that only the browser with these keys can read (RFC 8291 on top of RFC 8188, aes128gcm):
//
//	16B salt + 4B record size + 1B length of key + 65B public key of the sender + sealed(payload + 0x02 + padding)
func encrypt(p256dh, auth, payload []byte) ([]byte, error) {
	sender, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return seal(sender, salt, p256dh, auth, pad(payload))
}

// pad ends a payload with the sign that it is the last record's, and fills it up. Ours are short: one record holds them.
func pad(payload []byte) []byte {
	padded := make([]byte, (len(payload)/padTo+1)*padTo)
	copy(padded, payload)
	padded[len(payload)] = 2
	return padded
}

func seal(sender *ecdh.PrivateKey, salt, p256dh, auth, padded []byte) ([]byte, error) {
	browser, err := ecdh.P256().NewPublicKey(p256dh)
	if err != nil {
		return nil, fmt.Errorf("read the browser's key: %w", err)
	}
	shared, err := sender.ECDH(browser)
	if err != nil {
		return nil, fmt.Errorf("agree on a key: %w", err)
	}
	public := sender.PublicKey().Bytes()
	ikm, err := hkdf.Key(sha256.New, shared, auth, "WebPush: info\x00"+string(p256dh)+string(public), 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, fmt.Errorf("derive a nonce: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	out := append([]byte{}, salt...)
	out = binary.BigEndian.AppendUint32(out, recordSize)
	out = append(out, byte(len(public)))
	out = append(out, public...)
	return gcm.Seal(out, nonce, padded, nil), nil
}
