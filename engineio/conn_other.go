//go:build !unix

package engineio

import "net"

// newRawConn returns nil: there is no form of connection here that can write without waiting.
func newRawConn(net.Conn, []byte) conn { return nil }
