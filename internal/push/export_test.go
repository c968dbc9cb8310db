package push

import (
	"context"
	"crypto/ecdh"
	"net"
)

// Seal is seal, for the example of RFC 8291.
func Seal(sender *ecdh.PrivateKey, salt, p256dh, auth, padded []byte) ([]byte, error) {
	return seal(sender, salt, p256dh, auth, padded)
}

// Post is post.
var Post = post

// ConnectTo connects to an address as if it had been found to be good.
func ConnectTo(ctx context.Context, d *Dialer, address string) (net.Conn, error) {
	return d.connect(ctx, "tcp", address)
}

// Look is look.
var Look = look
